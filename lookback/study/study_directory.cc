#include "lookback/study/study_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/toml_document.h"
#include "lookback/study/longer_run.h"
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

/// Whether the manifest's owner is the study of these runs, or about to be.
bool is_study_of(const Manifest& manifest, const std::string& checksum) {
  const nlohmann::json& runs = base::find_array(manifest.owner, {"runs"});
  return std::ranges::find(runs, nlohmann::json(checksum)) != runs.end();
}

Error edited_runs(const std::filesystem::path& file) {
  return Error{
      fmt::format("{}: what its runs are was changed since they were started (question and "
                  "claims may be); undo that, or run the file that the study was started from with "
                  "--resume",
                  file.string())};
}

Error lost_manifest(const std::filesystem::path& directory) {
  return Error{
      fmt::format("{}: is missing; it was removed, or lookback 0.1 made this study; --resume "
                  "checks its runs and makes it anew",
                  (directory / manifest_name).string()),
      ErrorKind::not_found};
}

/// Removes files of a study's directory that are made anew when it ends.
Status remove_made(const std::filesystem::path& directory, std::span<const std::string> names) {
  if (Status unlisted = unlist_files(directory, names); !unlisted) return unlisted;
  for (const std::string& name : names) {
    if (Status removed = base::remove_file(directory / name); !removed) return removed;
  }
  return {};
}

/// Makes a study's directory one of more or longer runs. Killed in between, it is the unfinished study
/// that it was, or the new one.
Status grow(const Study& study, const std::filesystem::path& directory) {
  const std::string made[] = {"summary.json", "ledger.json", "report.html"};
  Status removed = remove_made(directory, made);
  return removed ? write_study_file(study, directory) : removed;
}

/// Gives a study's directory this study's question and claims, and whether it inspects. Stopped
/// before these are decided it has no ledger, rather than that of other claims.
Status reword(const Study& study, const std::filesystem::path& directory) {
  const std::string made[] = {"ledger.json", "report.html"};
  Status removed = remove_made(directory, made);
  return removed ? write_study_file(study, directory) : removed;
}

/// How a directory's study stands to the one asked for, where the two are of the same runs but for
/// how many and how long they are.
struct Growth {
  bool more_seeds = false;
  bool longer = false;
};

/// Whether the arms of `longer` are those of `study`, or have more tokens.
bool leads_to(const Study& study, const Study& longer) {
  return study.name == longer.name &&
         std::ranges::equal(study.arms, longer.arms, [](const RunConfig& a, const RunConfig& b) {
           return a == b || is_longer(b, a);
         });
}

/// Errors: another study, and one of more or of longer runs.
Result<Growth> growth_of(const Study& there, const Study& study,
                         const std::filesystem::path& directory) {
  Growth growth{study.seeds > there.seeds, false};
  growth.longer = there.arms != study.arms;
  if (!leads_to(there, study)) {
    const Result<Study> asked = parse_runs_of_study(study.text, "");
    const std::string difference = asked ? difference_text(there.text, asked->text) : "";
    return Error{
        leads_to(study, there)
            ? fmt::format("{} holds this study with runs of more tokens than asked{}; ask for as "
                          "many, or use another --out",
                          directory.string(), difference)
            : fmt::format("{} holds another study, or this one with other settings{}; use another "
                          "--out, or remove it",
                          directory.string(), difference)};
  }
  if (there.seeds > study.seeds) {
    return Error{
        fmt::format("{} holds this study with seeds = {}, asked {}; add --seeds {}, or use "
                    "another --out",
                    directory.string(), there.seeds, study.seeds, there.seeds)};
  }
  return growth;
}

/// What a directory's study file says, whether or not the manifest agrees.
Status claim_found(const Study& study, const std::filesystem::path& directory,
                   const std::string& found, bool resume) {
  Result<Study> there = parse_runs_of_study(found, (directory / "study.toml").string());
  if (!there) return there.error();
  // An inspection is no part of a run: whether there is one may change.
  for (std::size_t i = 0; i < std::min(there->arms.size(), study.arms.size()); ++i) {
    there->arms[i].evaluate.inspect = study.arms[i].evaluate.inspect;
  }
  const Result<Growth> growth = growth_of(*there, study, directory);
  if (!growth) return growth.error();
  if (growth->more_seeds || growth->longer) {
    if (resume) return grow(study, directory);
    const std::string asked =
        growth->longer ? " with runs of fewer tokens than asked"
                       : fmt::format(" with seeds = {}, asked {}", there->seeds, study.seeds);
    return Error{
        fmt::format("{} holds this study{}; add --resume to add what is missing, or use "
                    "another --out",
                    directory.string(), asked)};
  }
  const Result<bool> finished = is_finished(directory);
  if (!finished) return resume ? write_study_file(study, directory) : finished.error();
  const Result<DirectoryKind> kind = kind_of(directory);
  if (!kind) return kind.error();
  if (!resume && !*finished && *kind == DirectoryKind::study) {
    return Error{
        fmt::format("{} holds this study unfinished; add --resume to go on with it, or use "
                    "another --out",
                    directory.string())};
  }
  return found == study.text ? Status() : reword(study, directory);
}

}  // namespace

Status write_study_file(const Study& study, const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "study.toml";
  // It may be longer than the file it came from, and must be read again.
  const Result<Study> readable = parse_runs_of_study(study.text, file.string());
  if (!readable) return readable.error();
  const std::string runs = runs_checksum(study.text);
  Status noted = update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner["study"] = study.name;
    manifest.owner["runs"].push_back(runs);
  });
  if (!noted) return noted;
  Status written = base::write_file_atomically(file, study.text);
  if (!written) return written;
  return update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner = {{"study", study.name}, {"runs", {runs}}};
  });
}

Status check_study_file(const Study& study, const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "study.toml";
  const Result<bool> there = base::is_there(file);
  if (!there) return there.error();
  const Result<DirectoryKind> kind = kind_of(directory);
  if (!kind) return kind.error();
  if (!*there || *kind == DirectoryKind::study) return {};
  const Result<std::string> found = base::read_file(file, base::largest_toml);
  if (!found) return found.error();
  if (*found == study.text) return {};  // killed before its first run, for one
  return Error{
      fmt::format("{}: found a study file that no study here was run from, which would be mixed "
                  "with the study's own; use another --out",
                  file.string())};
}

Status claim_directory(const Study& study, const std::filesystem::path& directory, bool resume) {
  const std::filesystem::path file = directory / "study.toml";
  const Result<bool> there = base::is_there(file);
  if (!there) return there.error();
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest && !resume) return manifest.error();
  if (!manifest) {
    // Of a study it says what is made anew in a moment.
    if (Status removed = base::remove_file(directory / manifest_name); !removed) return removed;
  }
  if (!*there) return write_study_file(study, directory);
  const Result<std::string> found = base::read_file(file, base::largest_toml);
  if (!found) return found.error();
  // This very study, whose file was damaged since.
  const bool is_known = manifest && *manifest && (*manifest)->owner.contains("runs");
  if (is_known && !is_study_of(**manifest, runs_checksum(*found))) {
    if (!is_study_of(**manifest, runs_checksum(study.text))) return edited_runs(file);
    if (resume) return reword(study, directory);
    return changed_file(file);
  }
  return claim_found(study, directory, *found, resume);
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
  if (*manifest && !is_study_of(**manifest, runs_checksum(study->text))) return edited_runs(file);
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
      fmt::format("{}: this run of a finished study is gone, or has not ended; run the study with "
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
