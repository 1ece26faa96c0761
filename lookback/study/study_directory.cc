#include "lookback/study/study_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

/// What a study's runs are; empty where its text is none.
std::string runs_checksum(const std::string& text) {
  const Result<Study> study = parse_runs_of_study(text, "");
  return study ? base::checksum_text({base::bytes_of(study->text)}) : "";
}

Error lost_manifest(const std::filesystem::path& directory) {
  return Error{
      fmt::format("{}: is missing; it was removed, or lookback 0.1 made this study; --resume "
                  "checks its runs and rebuilds it",
                  (directory / manifest_name).string()),
      ErrorKind::not_found};
}

}  // namespace

bool is_study_of(const Manifest& manifest, const std::string& text) {
  const nlohmann::json& runs = base::find_array(manifest.owner, {"runs"});
  return std::ranges::find(runs, nlohmann::json(runs_checksum(text))) != runs.end();
}

Error edited_runs(const std::filesystem::path& file) {
  return Error{
      fmt::format("{}: its runs were changed after they were started (only the question and the "
                  "claims may be); undo that, or run the original study file with --resume",
                  file.string())};
}

Status write_study_file(const Study& study, const std::filesystem::path& directory) {
  const std::string runs = runs_checksum(study.text);
  Status noted = update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner["study"] = study.name;
    manifest.owner["runs"].push_back(runs);
  });
  if (!noted) return noted;
  Status written = base::write_file_atomically(directory / "study.toml", study.text);
  if (!written) return written;
  return update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner = {{"study", study.name}, {"runs", {runs}}};
  });
}

Result<Study> read_study_in(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "study.toml";
  Result<Study> study = read_study(file.string(), Overrides{});
  if (!study) return study;
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  const Result<DirectoryKind> kind = kind_of(directory);
  if (!kind) return kind.error();
  // A study file of a person's own has none beside it.
  if (!*manifest && *kind == DirectoryKind::study) return lost_manifest(directory);
  if (*manifest && !is_study_of(**manifest, study->text)) return edited_runs(file);
  return study;
}

Result<bool> is_finished(const std::filesystem::path& directory) {
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  if (*manifest) return (*manifest)->lists("summary.json");
  const Result<bool> orphan = base::is_there(directory / "summary.json");
  if (!orphan) return orphan.error();
  if (!*orphan) return false;
  return lost_manifest(directory);
}

Error lacking_run(const std::filesystem::path& run) {
  return Error{
      fmt::format("{}: this run of a finished study is missing or unfinished; run the study with "
                  "--resume to make it again",
                  run.string()),
      ErrorKind::not_found};
}

Status check_has_its_runs(const Study& study, const std::filesystem::path& directory) {
  const Result<bool> finished = is_finished(directory);
  if (!finished) return finished.error();
  if (!*finished) return {};
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      const RunConfig config = study.run(arm, seed);
      const std::filesystem::path run = run_directory(directory, config.arm, seed);
      const Result<bool> ended = has_ended_as(config, run);
      if (!ended) return ended.error();
      if (*ended) continue;
      return lacking_run(run);
    }
  }
  return {};
}

}  // namespace lookback::study
