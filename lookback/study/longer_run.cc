#include "lookback/study/longer_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "lookback/base/file.h"
#include "lookback/base/toml_document.h"
#include "lookback/study/inspect_run.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {

std::string difference_text(const std::string& found, const std::string& asked) {
  const Result<base::Document> there = base::parse_toml(found, "");
  const Result<base::Document> wanted = base::parse_toml(asked, "");
  if (!there || !wanted) return "";
  const auto differs = base::first_difference(there->root, wanted->root);
  if (!differs) return "";
  return fmt::format(" ({}: found {}, asked {})", differs->key, differs->a, differs->b);
}

bool is_longer(const RunConfig& asked, const RunConfig& found) {
  if (asked.train.decay != train::Decay::constant) return false;
  if (asked.train.tokens <= found.train.tokens) return false;
  RunConfig shorter = asked;
  shorter.train.tokens = found.train.tokens;
  shorter.evaluate.inspect = found.evaluate.inspect;  // no part of a run
  // A clamp that was to hold to the end holds to the later one.
  for (std::size_t i = 0; i < std::min(asked.clamps.size(), found.clamps.size()); ++i) {
    const bool to_the_end =
        asked.clamps[i].end == asked.train.tokens && found.clamps[i].end == found.train.tokens;
    if (to_the_end) shorter.clamps[i].end = found.clamps[i].end;
  }
  return shorter == found;
}

Result<Standing> standing_of(const RunConfig& config, const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "config.toml";
  const Result<bool> there = base::is_there(file);
  if (!there) return there.error();
  if (!*there) return Standing::empty;
  const Result<std::string> found = read_config_text(directory);
  if (!found) return found.error();
  const std::string asked = to_toml(config);
  if (*found == asked) return Standing::same;
  const Result<RunConfig> run = parse_run_config(*found, file.string());
  if (!run) return run.error();
  if (is_longer(config, *run)) return Standing::shorter;
  return Error{
      fmt::format("{}: this run was started with another configuration{}; use another --out",
                  file.string(), difference_text(*found, asked))};
}

bool leads_to(const std::string& checkpoint, const RunConfig& config) {
  if (checkpoint == to_toml(config)) return true;
  const Result<RunConfig> found = parse_run_config(checkpoint, "");
  return found && is_longer(config, *found);
}

Status remove_shorter_end(const RunConfig& config, const std::filesystem::path& directory) {
  for (const char* made : inspection_files) {
    if (Status removed = base::remove_file(directory / made); !removed) return removed;
  }
  Status removed = base::remove_file(directory / "evaluation.json");
  if (!removed) return removed;
  Result<train::ResumePoint> newest = train::find_resume_point(directory);
  if (!newest) return newest.error();
  if (!newest->checkpoint) return {};
  const train::CheckpointHeader& header = newest->checkpoint->header();
  const std::uint64_t steps = train::step_count(config.train, config.data.length);
  if (train::is_log_spaced(header.step, steps, config.train.checkpoints_per_decade)) return {};
  const std::filesystem::path last = train::checkpoint_path(directory, header.tokens);
  const Result<bool> there = base::is_there(last);
  if (!there) return there.error();
  return *there ? base::rename_and_sync(last, train::resume_path(directory)) : Status();
}

}  // namespace lookback::study
