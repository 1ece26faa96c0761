#include "lookback/study/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/evaluate_run.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/ledger.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/one_run.h"
#include "lookback/study/output_place.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_text = std::size_t{1} << 28;

bool is_there(const std::filesystem::path& path) {
  std::error_code missing;
  return std::filesystem::exists(path, missing);
}

/// Refuses a directory whose study.toml is a person's own: not as this study is written, and where no
/// study has begun.
Status check_study_file(const Study& study, const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "study.toml";
  if (!is_there(file) || kind_of(directory) == DirectoryKind::study) return {};
  const Result<std::string> found = base::read_file(file, largest_text);
  if (!found) return found.error();
  if (*found == study.text) return {};  // killed before its first run, for one
  return Error{
      fmt::format("{}: found a study file that no study here was run from, which would be mixed "
                  "with the study's own; use another --out",
                  file.string())};
}

/// Removes files of a study's directory that are made anew when it ends.
Status remove_made(const std::filesystem::path& directory,
                   std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::error_code error;
    std::filesystem::remove(directory / name, error);
    if (error) {
      return Error{
          fmt::format("{}: cannot remove: {}", (directory / name).string(), error.message())};
    }
  }
  return {};
}

/// Makes a study's directory one of more or longer runs. Killed in between, it is the unfinished study that it
/// was, or the new one.
Status grow(const Study& study, const std::filesystem::path& directory) {
  Status removed = remove_made(directory, {"summary.json", "ledger.json", "report.html"});
  if (!removed) return removed;
  return base::write_file_atomically(directory / "study.toml", study.text);
}

/// Gives a study's directory this study's question and claims, and whether it inspects. Stopped
/// before these are decided it has no ledger, rather than that of other claims.
Status reword(const Study& study, const std::filesystem::path& directory) {
  Status removed = remove_made(directory, {"ledger.json", "report.html"});
  if (!removed) return removed;
  return base::write_file_atomically(directory / "study.toml", study.text);
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

/// Whether `directory` may be used: it holds this very study, perhaps with fewer seeds or shorter
/// runs, or none. What its runs are to answer and decide is no part of them: question and claims may
/// be others.
Status claim(const Study& study, const std::filesystem::path& directory, bool resume) {
  const std::filesystem::path file = directory / "study.toml";
  if (!is_there(file)) return base::write_file_atomically(file, study.text);
  const Result<std::string> found = base::read_file(file, largest_text);
  if (!found) return found.error();
  Result<Study> there = parse_runs_of_study(*found, file.string());
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
  if (!resume && kind_of(directory) == DirectoryKind::study &&
      !is_there(directory / "summary.json")) {
    return Error{
        fmt::format("{} holds this study unfinished; add --resume to go on with it, or use "
                    "another --out",
                    directory.string())};
  }
  return *found == study.text ? Status() : reword(study, directory);
}

/// One run's row: its findings, with the speed that timing.json knows.
Result<nlohmann::json> summary_row(const std::filesystem::path& run) {
  const Result<nlohmann::json> findings =
      base::read_json_object(run / "findings.json", largest_text);
  if (!findings) return findings.error();
  const Result<nlohmann::json> timing = base::read_json_object(run / "timing.json", largest_text);
  if (!timing) return timing.error();
  nlohmann::json row = summary_of(*findings);
  const auto rate = timing->find("tokens_per_second");
  row["tokens_per_second"] = rate != timing->end() && rate->is_number() ? *rate : nlohmann::json(0);
  return row;
}

Status write_summary(const Study& study, const std::filesystem::path& directory,
                     std::size_t threads) {
  nlohmann::json arms = nlohmann::json::array();
  for (const RunConfig& arm : study.arms) {
    nlohmann::json runs = nlohmann::json::array();
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      Result<nlohmann::json> row = summary_row(run_directory(directory, arm.arm, seed));
      if (!row) return row.error();
      runs.push_back(std::move(*row));
    }
    arms.push_back({{"arm", arm.arm}, {"runs", std::move(runs)}});
  }
  const nlohmann::json summary = {{"study", study.name},
                                  {"question", study.question},
                                  {"tokens", study.arms.front().train.tokens},
                                  {"seeds", study.seeds},
                                  {"threads", threads},
                                  {"arms", std::move(arms)}};
  return base::write_file_atomically(directory / "summary.json", summary.dump(2) + '\n');
}

/// Gives a finished study's summary the question that the study has now.
Status update_summary(const Study& study, const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / "summary.json";
  Result<nlohmann::json> summary = base::read_json_object(file, largest_text);
  if (!summary) return summary.error();
  nlohmann::json& question = (*summary)["question"];
  if (question == study.question) return {};
  question = study.question;
  return base::write_file_atomically(file, summary->dump(2) + '\n');
}

/// Whether a directory holds this run, ended. One that cannot be read is not: running it tells.
bool is_complete(const RunConfig& config, const std::filesystem::path& run) {
  const Result<Standing> standing = standing_of(config, run);
  return standing && *standing == Standing::same && has_ended(run);
}

/// Whether a finished study's runs are still those it was finished with: one can have been made longer
/// by itself. Errors: the run that is not.
Status check_finished(const Study& study, const std::filesystem::path& directory) {
  for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
      const RunConfig config = study.run(arm, seed);
      const auto standing = standing_of(config, run_directory(directory, config.arm, seed));
      if (!standing) return standing.error();
    }
  }
  return {};
}

/// Tokens that the runs after (seed, arm) still have to see, finished ones not counted.
std::uint64_t tokens_after(const Study& study, const std::filesystem::path& directory,
                           std::uint64_t seed, std::size_t arm) {
  std::uint64_t tokens = 0;
  for (std::uint64_t s = seed; s < study.seeds; ++s) {
    for (std::size_t a = s == seed ? arm + 1 : 0; a < study.arms.size(); ++a) {
      const RunConfig& later = study.arms[a];
      if (!is_complete(study.run(a, s), run_directory(directory, later.arm, s))) {
        tokens += later.train.tokens;
      }
    }
  }
  return tokens;
}

/// A study's summary and ledger would not know of a run that is made longer by itself.
Status check_is_of_no_study(const std::filesystem::path& run) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(run, error).lexically_normal();
  const std::filesystem::path seed = whole.has_filename() ? whole : whole.parent_path();
  const std::filesystem::path study = seed.parent_path().parent_path();
  if (error || kind_of(study) != DirectoryKind::study) return {};
  return Error{
      fmt::format("{} holds this run with fewer tokens, as one of the study in {}; make the study "
                  "longer, or use "
                  "another --out",
                  run.string(), study.string())};
}

/// Inspects a run that has ended and, if it learned from text, evaluates it.
Result<Ending> look_at_run(const RunConfig& config, const std::filesystem::path& run,
                           base::Workers& workers, Listener& listener) {
  Result<Ending> ending = evaluate_run(config, run, workers, listener);
  if (!ending || *ending == Ending::stopped) return ending;
  return inspect_run(config, run, workers, listener);
}

/// Brings one run to its end and looks at it. The lock of the study's directory is not enough:
/// `lookback train` can be at work in that of the run.
Result<Ending> complete_run(const RunConfig& config, const std::filesystem::path& run,
                            std::uint64_t tokens_after, base::Workers& workers,
                            Listener& listener) {
  const Result<DirectoryLock> lock = DirectoryLock::take(run);
  if (!lock) return lock.error();
  const Result<Standing> standing = standing_of(config, run);
  if (!standing) return standing.error();
  if (*standing == Standing::shorter) {
    if (Status reopened = reopen(run); !reopened) return reopened.error();
  }
  if (!has_ended(run)) {
    Result<Ending> ending = execute_run(config, run, tokens_after, workers, listener);
    if (!ending || *ending == Ending::stopped) return ending;
  }
  return look_at_run(config, run, workers, listener);
}

/// Inspects every run of a finished study that has no inspection.
Result<Ending> inspect_runs(const Study& study, const std::filesystem::path& directory,
                            base::Workers& workers, Listener& listener) {
  for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
      const RunConfig config = study.run(arm, seed);
      const std::filesystem::path run = run_directory(directory, config.arm, seed);
      if (!has_ended(run)) continue;  // removed since; what is finished is not made anew
      const Result<DirectoryLock> lock = DirectoryLock::take(run);
      if (!lock) return lock.error();
      Result<Ending> ending = look_at_run(config, run, workers, listener);
      if (!ending || *ending == Ending::stopped) return ending;
    }
  }
  return Ending::finished;
}

/// Brings every run to its end and writes the summary.
Result<Ending> execute_runs(const Study& study, const std::filesystem::path& directory,
                            base::Workers& workers, Listener& listener) {
  for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
    for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
      const RunConfig config = study.run(arm, seed);
      const std::filesystem::path run = run_directory(directory, config.arm, seed);
      const std::uint64_t after = tokens_after(study, directory, seed, arm);
      Result<Ending> ending = complete_run(config, run, after, workers, listener);
      if (!ending || *ending == Ending::stopped) return ending;
    }
  }
  if (Status written = write_summary(study, directory, workers.count()); !written) {
    return written.error();
  }
  return Ending::finished;
}

}  // namespace

Result<Ending> run_study(const Study& study, const std::filesystem::path& directory, bool resume,
                         base::Workers& workers, Listener& listener) {
  if (Status fits = check_directory(directory, DirectoryKind::study); !fits) return fits.error();
  if (Status fits = check_study_file(study, directory); !fits) return fits.error();
  const Result<DirectoryLock> lock = DirectoryLock::take(directory);
  if (!lock) return lock.error();
  if (Status claimed = claim(study, directory, resume); !claimed) return claimed.error();
  Result<Ending> ending = Ending::finished;
  if (is_there(directory / "summary.json")) {
    if (Status same = check_finished(study, directory); !same) return same.error();
    if (Status updated = update_summary(study, directory); !updated) return updated.error();
    listener.message(fmt::format("{}: this study is finished", directory.string()));
    if (resume) ending = inspect_runs(study, directory, workers, listener);
  } else {
    ending = execute_runs(study, directory, workers, listener);
  }
  if (!ending || *ending == Ending::stopped) return ending;
  if (const auto ledger = write_ledger(study, directory); !ledger) return ledger.error();
  return Ending::finished;
}

Result<Ending> run_single(const RunConfig& config, const std::filesystem::path& directory,
                          bool resume, base::Workers& workers, Listener& listener) {
  if (Status fits = check_directory(directory, DirectoryKind::run); !fits) return fits.error();
  const Result<DirectoryLock> lock = DirectoryLock::take(directory);
  if (!lock) return lock.error();
  const Result<Standing> standing = standing_of(config, directory);
  if (!standing) return standing.error();
  if (*standing == Standing::shorter) {
    if (!resume) {
      return Error{
          fmt::format("{} holds this run with fewer tokens; add --resume to go on with it, or use "
                      "another --out",
                      directory.string())};
    }
    if (Status alone = check_is_of_no_study(directory); !alone) return alone.error();
    if (Status reopened = reopen(directory); !reopened) return reopened.error();
  }
  if (has_ended(directory)) {
    listener.message(fmt::format("{}: this run has ended", directory.string()));
    return resume ? look_at_run(config, directory, workers, listener) : Ending::finished;
  }
  if (!resume && is_there(directory / "config.toml")) {
    return Error{
        fmt::format("{} holds a run that has not ended; add --resume to go on with it, or "
                    "use another --out",
                    directory.string())};
  }
  Result<Ending> ending = execute_run(config, directory, 0, workers, listener);
  if (!ending || *ending == Ending::stopped) return ending;
  return look_at_run(config, directory, workers, listener);
}

}  // namespace lookback::study
