#include "lookback/study/saved_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// Some of them, for a message.
std::string listed(std::vector<fs::path> paths) {
  constexpr std::size_t most = 12;
  const std::size_t left = paths.size() - std::min(most, paths.size());
  paths.resize(paths.size() - left);
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const fs::path& path : paths) names.push_back(path.string());
  return fmt::format("{}{}", fmt::join(names, ", "),
                     left > 0 ? fmt::format(" and {} more", left) : std::string());
}

/// Checks what a checkpoint says about itself against its name.
Status check_name(const fs::path& file, const train::CheckpointHeader& header) {
  const std::optional<std::uint64_t> named = train::tokens_named_by(file);
  if (!named || *named == header.tokens) return {};
  return Error{fmt::format("{}: is the checkpoint of {} tokens under another name", file.string(),
                           header.tokens)};
}

/// Checks the run, which may have been made longer since, against that of the checkpoint.
Status check_run(const fs::path& file, const RunConfig& config, const RunConfig& of_run) {
  if (identity_of(of_run) == identity_of(config)) return {};
  return Error{fmt::format(
      "{}: belongs to the run {} seed {}{}, not to the one in whose directory it is", file.string(),
      config.arm, config.seed, difference_text(to_toml(config), to_toml(of_run)))};
}

/// The name of a checkpoint in manifests.
std::string listed_name(const fs::path& file) { return "checkpoints/" + file.filename().string(); }

/// A checkpoint in a run's directory must belong to that run, be saved after as many tokens as its
/// name says, and, once the run has ended, be in the manifest.
Status check_place(const fs::path& file, const train::CheckpointHeader& header,
                   const RunConfig& config) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (folder.filename() != "checkpoints") return {};
  if (Status named = check_name(file, header); !named) return named;
  const fs::path run = folder.parent_path();
  const Result<std::string> text = read_config_text(run);
  if (text.fails_with(ErrorKind::not_found)) return {};
  if (!text) return text.error();
  const Result<RunConfig> of_run = parse_model_config(*text, (run / "config.toml").string());
  if (!of_run) return of_run.error();
  if (Status ours = check_run(file, config, *of_run); !ours) return ours;
  if (!parse_run_config(*text, "")) return {};  // lookback 0.2: its manifest names another text
  const Result<OpenedRun> opened = OpenedRun::open(run);
  if (!opened) return opened.error();
  return opened->has_ended() ? opened->check(listed_name(file)) : Status();
}

Result<RunConfig> config_in(const train::Checkpoint& checkpoint, const fs::path& file) {
  return parse_model_config(checkpoint.header().config, file.string() + ": metadata 'config'");
}

Result<SavedModel> model_of(const train::Checkpoint& checkpoint, const fs::path& file) {
  Result<RunConfig> config = config_in(checkpoint, file);
  if (!config) return config.error();
  if (Status ours = check_place(file, checkpoint.header(), *config); !ours) return ours.error();
  Result<model::Program> program = model::compile(config->architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters = checkpoint.parameters(*program);
  if (!parameters) return parameters.error();
  return SavedModel{checkpoint.header(), std::move(*config), std::move(*program),
                    std::move(*parameters)};
}

/// The checkpoints of a run's directory. Once it has ended they are those of its manifest, existing
/// or not: anything else beside them does not belong to the run.
Result<std::vector<fs::path>> checkpoints_in(const fs::path& directory) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  Result<std::vector<fs::path>> files = std::vector<fs::path>();
  if (!run->has_ended()) files = base::entries_of(directory / "checkpoints");
  if (!files) return files;
  for (const auto& [name, file] : run->manifest().files) {
    if (run->has_ended()) files->push_back(directory / name);
  }
  std::erase_if(*files, [](const fs::path& file) { return !train::tokens_named_by(file); });
  return files;
}

/// The checkpoint files that a path means, the newest first; at least one.
Result<std::vector<fs::path>> checkpoints_of(const fs::path& path) {
  if (path.extension() == ".toml") {
    return Error{fmt::format("{}: found a TOML file, allowed: a checkpoint, or a run's directory",
                             path.string())};
  }
  const Result<fs::file_status> status = base::status_of(path);
  if (!status) return status.error();
  // Reading it says what is wrong, if anything.
  if (!fs::is_directory(*status)) return std::vector<fs::path>{path};
  Result<std::vector<fs::path>> files = checkpoints_in(path);
  if (!files) return files;
  std::ranges::sort(*files, std::ranges::greater(), train::tokens_named_by);
  if (!files->empty()) return files;
  const Result<std::vector<fs::path>> runs = runs_in(path);
  if (!runs) return runs.error();
  if (!runs->empty()) {
    return Error{
        fmt::format("{}: found a directory of {} runs, allowed: a checkpoint or one run's "
                    "directory: {}",
                    path.string(), runs->size(), listed(*runs))};
  }
  return Error{
      path.string() +
          ": found a directory without checkpoints/<tokens>.safetensors, allowed: a checkpoint "
          "or a run's directory",
      ErrorKind::not_found};
}

Result<SavedModel> read_one(const fs::path& file) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  if (!checkpoint) return checkpoint.error();
  return model_of(*checkpoint, file);
}

/// For the error of an unreadable checkpoint: where the newest intact one before it is. Large ones
/// take a while to read, so only a few are tried.
std::string instead_of(const fs::path& file) {
  constexpr std::size_t most_tried = 4;
  const std::optional<std::uint64_t> tokens = train::tokens_named_by(file);
  Result<std::vector<fs::path>> earlier = base::entries_of(file.parent_path());
  if (!tokens || !earlier) return "";
  std::erase_if(*earlier, [&](const fs::path& other) {
    const std::optional<std::uint64_t> others = train::tokens_named_by(other);
    return !others || *others >= *tokens;
  });
  std::ranges::sort(*earlier, std::ranges::greater(), train::tokens_named_by);
  earlier->resize(std::min(earlier->size(), most_tried));
  const auto whole =
      std::ranges::find_if(*earlier, [](const fs::path& one) { return bool(read_one(one)); });
  return whole == earlier->end() ? "" : "; the newest intact one before it is " + whole->string();
}

}  // namespace

Status check_checkpoint(const fs::path& file, const RunConfig& of_run) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  if (!checkpoint) return checkpoint.error();
  if (Status named = check_name(file, checkpoint->header()); !named) return named;
  const Result<RunConfig> config = config_in(*checkpoint, file);
  return config ? check_run(file, *config, of_run) : config.error();
}

Result<SavedModel> read_model(const fs::path& file) {
  Result<SavedModel> model = read_one(file);
  const Result<bool> there = base::is_there(file);
  if (model || !there || !*there) return model;
  return model.error().with(instead_of(file));
}

Result<FoundModel> find_model(const fs::path& path) {
  const Result<std::vector<fs::path>> files = checkpoints_of(path);
  if (!files) return files.error();
  std::vector<std::string> passed_over;
  for (const fs::path& file : *files) {
    const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
    if (!checkpoint) return checkpoint.error().with(instead_of(file));
    const Status finite = checkpoint->check_finite();
    if (!finite && file != files->back()) {
      passed_over.push_back(finite.error().message);
      continue;
    }
    Result<SavedModel> model = model_of(*checkpoint, file);
    if (!model) return model.error();
    return FoundModel{file, std::move(*model), std::move(passed_over)};
  }
  return Error{path.string() + ": found no checkpoint", ErrorKind::not_found};
}

Result<fs::path> find_checkpoint(const fs::path& path) {
  const Result<std::vector<fs::path>> files = checkpoints_of(path);
  if (!files) return files.error();
  return files->front();
}

}  // namespace lookback::study
