#include "lookback/study/saved_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/toml_document.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// The number in "<tokens>.safetensors"; none for another name.
std::optional<std::uint64_t> tokens_named_by(const fs::path& file) {
  const std::string stem = file.stem().string();
  std::uint64_t tokens = 0;
  const auto [end, code] = std::from_chars(stem.data(), stem.data() + stem.size(), tokens);
  const bool whole = code == std::errc{} && end == stem.data() + stem.size();
  if (!whole || file.extension() != ".safetensors") return std::nullopt;
  return tokens;
}

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

/// A checkpoint in a run's directory is of that run, which may have been made longer since.
Status check_is_of_run(const fs::path& file, const RunConfig& config) {
  const fs::path folder = fs::absolute(file).parent_path();
  if (folder.filename() != "checkpoints") return {};
  const fs::path run = folder.parent_path() / "config.toml";
  const Result<bool> there = base::is_there(run);
  if (!there) return there.error();
  if (!*there) return {};
  const Result<std::string> text = base::read_file(run, base::largest_toml);
  if (!text) return text.error();
  const Result<RunConfig> of_run = parse_run_config(*text, run.string());
  if (!of_run) return of_run.error();
  if (identity_of(*of_run) == identity_of(config)) return {};
  return Error{fmt::format(
      "{}: is of the run {} seed {}{}, not of the one whose checkpoints it is among", file.string(),
      config.arm, config.seed, difference_text(to_toml(config), to_toml(*of_run)))};
}

Result<SavedModel> model_of(const train::Checkpoint& checkpoint, const fs::path& file) {
  Result<RunConfig> config =
      parse_run_config(checkpoint.header().config, file.string() + ": metadata 'config'");
  if (!config) return config.error();
  if (Status ours = check_is_of_run(file, *config); !ours) return ours.error();
  Result<model::Program> program = model::compile(config->architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters = checkpoint.parameters(*program);
  if (!parameters) return parameters.error();
  return SavedModel{checkpoint.header(), std::move(*config), std::move(*program),
                    std::move(*parameters)};
}

/// The checkpoint files that a path means, the newest first: one at least.
Result<std::vector<fs::path>> checkpoints_of(const fs::path& path) {
  if (path.extension() == ".toml") {
    return Error{fmt::format("{}: found a TOML file, allowed: a checkpoint, or a run's directory",
                             path.string())};
  }
  const Result<fs::file_status> status = base::status_of(path);
  if (!status) return status.error();
  // Reading it says what is wrong, if anything.
  if (!fs::is_directory(*status)) return std::vector<fs::path>{path};
  Result<std::vector<fs::path>> files = base::entries_of(path / "checkpoints");
  if (!files) return files;
  std::erase_if(*files, [](const fs::path& file) { return !tokens_named_by(file); });
  std::ranges::sort(*files, std::ranges::greater(), tokens_named_by);
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
      "or a run's directory"};
}

Result<SavedModel> read_one(const fs::path& file) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  if (!checkpoint) return checkpoint.error();
  return model_of(*checkpoint, file);
}

/// For the error of a checkpoint that cannot be read: where the newest whole one before it is. Large
/// ones take a while to read, so only a few are tried.
std::string instead_of(const fs::path& file) {
  constexpr std::size_t most_tried = 4;
  const std::optional<std::uint64_t> tokens = tokens_named_by(file);
  Result<std::vector<fs::path>> earlier = base::entries_of(file.parent_path());
  if (!tokens || !earlier) return "";
  std::erase_if(*earlier, [&](const fs::path& other) {
    const std::optional<std::uint64_t> others = tokens_named_by(other);
    return !others || *others >= *tokens;
  });
  std::ranges::sort(*earlier, std::ranges::greater(), tokens_named_by);
  earlier->resize(std::min(earlier->size(), most_tried));
  const auto whole =
      std::ranges::find_if(*earlier, [](const fs::path& one) { return bool(read_one(one)); });
  return whole == earlier->end() ? "" : "; the newest whole one before it is " + whole->string();
}

}  // namespace

Result<SavedModel> read_model(const fs::path& file) {
  Result<SavedModel> model = read_one(file);
  const Result<bool> there = base::is_there(file);
  if (model || !there || !*there) return model;
  return Error{model.error().message + instead_of(file)};
}

Result<FoundModel> find_model(const fs::path& path) {
  const Result<std::vector<fs::path>> files = checkpoints_of(path);
  if (!files) return files.error();
  std::vector<std::string> passed_over;
  for (const fs::path& file : *files) {
    const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
    if (!checkpoint) return Error{checkpoint.error().message + instead_of(file)};
    const Status finite = checkpoint->check_finite();
    if (!finite && file != files->back()) {
      passed_over.push_back(finite.error().message);
      continue;
    }
    Result<SavedModel> model = model_of(*checkpoint, file);
    if (!model) return model.error();
    return FoundModel{file, std::move(*model), std::move(passed_over)};
  }
  return Error{path.string() + ": found no checkpoint"};
}

Result<fs::path> find_checkpoint(const fs::path& path) {
  const Result<std::vector<fs::path>> files = checkpoints_of(path);
  if (!files) return files.error();
  return files->front();
}

}  // namespace lookback::study
