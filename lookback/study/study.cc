#include "lookback/study/study.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/evaluate_run.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/ledger.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/one_run.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/repair.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/statements.h"
#include "lookback/study/study_directory.h"

namespace lookback::study {
namespace {

/// One run's row: its findings, with the speed that timing.json knows, null where that was lost, and
/// the instruction sets that gave its bits.
Result<nlohmann::json> summary_row(const std::filesystem::path& run) {
  const Result<OpenedRun> opened = OpenedRun::open(run);
  if (!opened) return opened.error();
  const Result<nlohmann::json> findings = opened->read("findings.json");
  if (!findings) return findings.error();
  nlohmann::json row = summary_of(*findings);
  row["instruction_sets"] = instruction_sets_of(opened->manifest());
  row["tokens_per_second"] = nullptr;
  const Result<nlohmann::json> timing = opened->read("timing.json");
  if (!timing) return timing.error();
  if (const auto rate = base::find_number(*timing, {"tokens_per_second"})) {
    row["tokens_per_second"] = *rate;
  }
  return row;
}

Status write_summary(const Study& study, const std::filesystem::path& directory,
                     std::size_t threads, Listener& listener) {
  std::set<std::string> instruction_sets;
  nlohmann::json arms = nlohmann::json::array();
  for (const RunConfig& arm : study.arms) {
    nlohmann::json runs = nlohmann::json::array();
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      Result<nlohmann::json> row = summary_row(run_directory(directory, arm.arm, seed));
      if (!row) return row.error();
      for (const std::string set : (*row)["instruction_sets"]) instruction_sets.insert(set);
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
  const std::string warning = warning_of(instruction_sets);
  if (!warning.empty()) listener.message(warning);
  return write_listed(directory, "summary.json", summary.dump(2) + '\n');
}

/// Gives a finished study's summary the question that the study has now.
Status update_summary(const Study& study, const std::filesystem::path& directory) {
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  Result<nlohmann::json> summary = read_listed_object(directory, **manifest, "summary.json");
  if (!summary) return summary.error();
  nlohmann::json& question = (*summary)["question"];
  if (question == study.question) return {};
  question = study.question;
  return write_listed(directory, "summary.json", summary->dump(2) + '\n');
}

/// Whether a directory holds this run, ended. One that cannot be read is not: running it tells.
bool is_complete(const RunConfig& config, const std::filesystem::path& run) {
  const Result<bool> ended = has_ended_as(config, run);
  return ended && *ended;
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
  if (error) return base::system_error("resolve", run, error.value());
  const Result<DirectoryKind> kind = kind_of(study);
  if (!kind) return kind.error();
  if (*kind != DirectoryKind::study) return {};
  return Error{
      fmt::format("{} holds this run with fewer tokens, as one of the study in {}; make the study "
                  "longer, or use "
                  "another --out",
                  run.string(), study.string())};
}

/// Evaluates a run that has ended, if it learned from text, and inspects it.
Status look_at_run(const RunConfig& config, const DirectoryLock& run, model::Engine& engine,
                   Listener& listener) {
  Status evaluated = evaluate_run(config, run, engine, listener);
  if (evaluated.fails_with(ErrorKind::stopped)) return evaluated;
  Status inspected = inspect_run(config, run, engine, listener);
  return evaluated || inspected.fails_with(ErrorKind::stopped) ? inspected : evaluated;
}

/// Brings a run to its end, unless it is there already.
Status end_run(const RunConfig& config, const DirectoryLock& lock, std::uint64_t tokens_after,
               model::Engine& engine, Listener& listener) {
  const std::filesystem::path& run = lock.directory();
  const Result<Standing> standing = standing_of(config, run);
  if (!standing) return standing.error();
  if (*standing == Standing::shorter) {
    if (Status held = lock.check(); !held) return held;
    if (Status reopened = reopen(run); !reopened) return reopened;
  }
  const Result<bool> ended = has_ended(run);
  if (!ended) return ended.error();
  if (*ended) return {};
  return execute_run(config, lock, tokens_after, engine, listener);
}

/// One pass over the runs of a study.
class Pass {
 public:
  Pass(const Study& study, const DirectoryLock& lock, bool resume, model::Engine& engine,
       Listener& listener)
      : study_(study),
        lock_(lock),
        directory_(lock.directory()),
        resume_(resume),
        engine_(engine),
        listener_(listener) {}

  /// Brings every run to its end, looks at it, and writes summary and ledger. An inspection or evaluation that
  /// cannot be made keeps none of the others from being made; it is the error at the end.
  Status run() {
    for (std::uint64_t seed = 0; seed < study_.seeds; ++seed) {
      for (std::size_t arm = 0; arm < study_.arms.size(); ++arm) {
        if (Status held = lock_.check(); !held) return held;
        if (Status ended = complete(arm, seed); !ended) return ended;
      }
    }
    if (Status held = lock_.check(); !held) return held;
    Status written = write_summary(study_, directory_, engine_.workers().count(), listener_);
    if (!written) return written;
    if (Status held = lock_.check(); !held) return held;
    if (const auto ledger = write_ledger(study_, directory_); !ledger) return ledger.error();
    if (failures_ == 0) return {};
    return Error{
        fmt::format("{} of {} runs could not be inspected or evaluated: {}; --resume tries again",
                    failures_, study_.seeds * study_.arms.size(), failure_),
        ErrorKind::failed};
  }

 private:
  /// The lock of the study's directory is not enough: `lookback train` can be at work in that of the run.
  Status complete(std::size_t arm, std::uint64_t seed) {
    const RunConfig config = study_.run(arm, seed);
    const std::filesystem::path run = run_directory(directory_, config.arm, seed);
    const Result<DirectoryLock> lock = DirectoryLock::take(run);
    if (!lock) return lock.error();
    const std::uint64_t after = tokens_after(study_, directory_, seed, arm);
    if (resume_) {
      if (Status repaired = repair_run(config, *lock, listener_); !repaired) return repaired;
    }
    if (Status ended = end_run(config, *lock, after, engine_, listener_); !ended) return ended;
    Status looked = look_at_run(config, *lock, engine_, listener_);
    if (looked || looked.fails_with(ErrorKind::stopped)) return looked;
    listener_.message(looked.error().message);
    if (failures_++ == 0) failure_ = looked.error().message;
    return {};
  }

  const Study& study_;
  const DirectoryLock& lock_;
  const std::filesystem::path& directory_;
  bool resume_;
  model::Engine& engine_;
  Listener& listener_;
  std::uint64_t failures_ = 0;
  std::string failure_;  // the first
};

/// A study that is finished is left as it is, but for the question and what its claims come to.
Status leave_finished(const Study& study, const DirectoryLock& lock, Listener& listener) {
  const std::filesystem::path& directory = lock.directory();
  if (Status whole = check_has_its_runs(study, directory); !whole) return whole;
  if (Status held = lock.check(); !held) return held;
  if (Status updated = update_summary(study, directory); !updated) return updated;
  listener.message(fmt::format("{}: this study is finished", directory.string()));
  if (Status held = lock.check(); !held) return held;
  const auto ledger = write_ledger(study, directory);
  return ledger ? Status() : ledger.error();
}

}  // namespace

Status run_study(const Study& study, const std::filesystem::path& directory, bool resume,
                 model::Engine& engine, Listener& listener) {
  if (Status fits = check_directory(directory, DirectoryKind::study); !fits) return fits;
  if (Status fits = check_study_file(study, directory); !fits) return fits;
  const Result<DirectoryLock> lock = DirectoryLock::take(directory);
  if (!lock) return lock.error();
  if (Status claimed = claim_directory(study, directory, resume); !claimed) return claimed;
  if (const auto stated = record_statements(study, directory); !stated) return stated.error();
  const Result<bool> finished = is_finished(directory);
  if (!finished && !resume) return finished.error();
  if (resume || !*finished) return Pass(study, *lock, resume, engine, listener).run();
  return leave_finished(study, *lock, listener);
}

Status run_single(const RunConfig& config, const std::filesystem::path& directory, bool resume,
                  model::Engine& engine, Listener& listener) {
  if (Status fits = check_directory(directory, DirectoryKind::run); !fits) return fits;
  const Result<DirectoryLock> lock = DirectoryLock::take(directory);
  if (!lock) return lock.error();
  if (resume) {
    if (Status repaired = repair_run(config, *lock, listener); !repaired) return repaired;
  }
  const Result<Standing> standing = standing_of(config, directory);
  if (!standing) return standing.error();
  if (*standing == Standing::shorter) {
    if (!resume) {
      return Error{
          fmt::format("{} holds this run with fewer tokens; add --resume to go on with it, or use "
                      "another --out",
                      directory.string())};
    }
    if (Status alone = check_is_of_no_study(directory); !alone) return alone;
  }
  const Result<bool> ended = has_ended_as(config, directory);
  if (!ended) return ended.error();
  if (*ended) listener.message(fmt::format("{}: this run has ended", directory.string()));
  if (*ended && !resume) return {};
  if (!resume && *standing != Standing::empty) {
    return Error{
        fmt::format("{} holds a run that has not ended; add --resume to go on with it, or "
                    "use another --out",
                    directory.string())};
  }
  if (Status done = end_run(config, *lock, 0, engine, listener); !done) return done;
  return look_at_run(config, *lock, engine, listener);
}

}  // namespace lookback::study
