#include "lookback/study/saved_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_config = std::size_t{1} << 20U;

/// The number in "<tokens>.safetensors"; none for another name.
std::optional<std::uint64_t> tokens_of(const fs::path& file) {
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
  const Result<std::string> text = base::read_file(run, largest_config);
  if (!text) return text.error();
  const Result<RunConfig> of_run = parse_run_config(*text, run.string());
  if (!of_run) return of_run.error();
  if (identity_of(*of_run) == identity_of(config)) return {};
  return Error{fmt::format(
      "{}: is of the run {} seed {}{}, not of the one whose checkpoints it is among", file.string(),
      config.arm, config.seed, difference_text(to_toml(config), to_toml(*of_run)))};
}

Result<SavedModel> read_one(const fs::path& file) {
  const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(file);
  if (!checkpoint) return checkpoint.error();
  Result<RunConfig> config =
      parse_run_config(checkpoint->header().config, file.string() + ": metadata 'config'");
  if (!config) return config.error();
  if (Status ours = check_is_of_run(file, *config); !ours) return ours.error();
  Result<model::Program> program = model::compile(config->architecture);
  if (!program) return program.error();
  Result<std::vector<float>> parameters = checkpoint->parameters(*program);
  if (!parameters) return parameters.error();
  return SavedModel{checkpoint->header(), std::move(*config), std::move(*program),
                    std::move(*parameters)};
}

/// The checkpoints beside `file` after fewer tokens than it, the newest first; none for a file that is
/// not one of a run's.
std::vector<fs::path> earlier_than(const fs::path& file) {
  const std::optional<std::uint64_t> tokens = tokens_of(file);
  std::vector<fs::path> earlier;
  std::error_code code;
  for (auto entry = fs::directory_iterator(file.parent_path(), code);
       tokens && !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::optional<std::uint64_t> others = tokens_of(entry->path());
    if (others && *others < *tokens) earlier.push_back(entry->path());
  }
  std::ranges::sort(earlier, std::ranges::greater(), tokens_of);
  return earlier;
}

/// For the error of a checkpoint that cannot be read: where a whole one is. Large ones take a while to
/// read, so only a few are tried.
std::string instead_of(const fs::path& file) {
  constexpr std::size_t most_tried = 4;
  std::vector<fs::path> earlier = earlier_than(file);
  earlier.resize(std::min(earlier.size(), most_tried));
  const auto whole =
      std::ranges::find_if(earlier, [](const fs::path& one) { return bool(read_one(one)); });
  return whole == earlier.end() ? "" : "; the newest whole one before it is " + whole->string();
}

}  // namespace

Result<SavedModel> read_model(const fs::path& file) {
  Result<SavedModel> model = read_one(file);
  std::error_code code;
  if (model || !fs::is_regular_file(file, code)) return model;
  return Error{model.error().message + instead_of(file)};
}

Result<fs::path> find_checkpoint(const fs::path& path) {
  std::error_code code;
  if (path.extension() == ".toml") {
    return Error{fmt::format("{}: found a TOML file, allowed: a checkpoint, or a run's directory",
                             path.string())};
  }
  if (!fs::is_directory(path, code)) return path;  // reading it says what is wrong, if anything
  std::optional<std::pair<std::uint64_t, fs::path>> newest;
  for (auto entry = fs::directory_iterator(path / "checkpoints", code);
       !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const std::optional<std::uint64_t> tokens = tokens_of(entry->path());
    if (tokens && (!newest || *tokens > newest->first)) newest = {*tokens, entry->path()};
  }
  if (newest) return newest->second;
  if (const std::vector<fs::path> runs = runs_in(path); !runs.empty()) {
    return Error{
        fmt::format("{}: found a directory of {} runs, allowed: a checkpoint or one run's "
                    "directory: {}",
                    path.string(), runs.size(), listed(runs))};
  }
  return Error{
      path.string() +
      ": found a directory without checkpoints/<tokens>.safetensors, allowed: a checkpoint "
      "or a run's directory"};
}

}  // namespace lookback::study
