#include "lookback/study/study.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "lookback/base/json_access.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/evaluate_run.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/ledger.h"
#include "lookback/study/manifest.h"
#include "lookback/study/one_run.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/statements.h"
#include "lookback/study/study_directory.h"
#include "lookback/study/study_plan.h"

namespace lookback::study {
namespace {

/// One run's row: its findings, with the speed that timing.json knows, null where that was lost, and
/// the engines that gave its bits.
Result<nlohmann::json> summary_row(const std::filesystem::path& run) {
  const Result<OpenedRun> opened = OpenedRun::open(run);
  if (!opened) return opened.error();
  const Result<nlohmann::json> findings = opened->read("findings.json");
  if (!findings) return findings.error();
  nlohmann::json row = summary_of(*findings);
  row["engines"] = engines_of(opened->manifest());
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
  std::set<std::string> engines;
  nlohmann::json arms = nlohmann::json::array();
  for (const RunConfig& arm : study.arms) {
    nlohmann::json runs = nlohmann::json::array();
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      Result<nlohmann::json> row = summary_row(run_directory(directory, arm.arm, seed));
      if (!row) return row.error();
      for (const std::string set : (*row)["engines"]) engines.insert(set);
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
  const std::string warning = warning_of(engines);
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

/// A plan, and the lock of the directory that it is for.
template <class Plan>
struct Locked {
  Plan plan;
  DirectoryLock lock;
};

/// Takes the lock. The plan was made before, and is made again where another process worked in the
/// directory in between.
template <class Plan, class Make>
Result<Locked<Plan>> lock_for(Result<Plan> plan, const Make& make) {
  if (!plan) return plan.error();
  Result<DirectoryLock> lock = DirectoryLock::take(plan->directory);
  if (!lock) return lock.error();
  const Result<FoundManifest> now = find_manifest(plan->directory);
  if (!now) return now.error();
  if (now->stamp != plan->stamp) plan = make();
  if (!plan) return plan.error();
  return Locked<Plan>{std::move(*plan), std::move(*lock)};
}

/// Evaluates a run that has ended, if it learned from text, and inspects it.
Status look_at_run(const RunConfig& config, const DirectoryLock& run, model::Engine& engine,
                   Listener& listener) {
  Status evaluated = evaluate_run(config, run, engine, listener);
  if (evaluated.fails_with(ErrorKind::stopped)) return evaluated;
  Status inspected = inspect_run(config, run, engine, listener);
  return evaluated || inspected.fails_with(ErrorKind::stopped) ? inspected : evaluated;
}

/// The runs of a plan, one after the other.
class PlannedStudy {
 public:
  PlannedStudy(const Study& study, const StudyPlan& plan, const DirectoryLock& lock,
               model::Engine& engine, Listener& listener)
      : study_(study), plan_(plan), lock_(lock), engine_(engine), listener_(listener) {}

  Status carry_out() {
    if (Status begun = begin(); !begun) return begun;
    std::uint64_t tokens_left = plan_.tokens_left();
    for (const RunPlan& run : plan_.runs) {
      tokens_left -= run.tokens_left();
      if (run.work == Work::leave) continue;
      if (Status held = lock_.check(); !held) return held;
      if (Status done = carry_out_run(run, tokens_left); !done) return done;
    }
    if (Status ended = end(); !ended) return ended;
    if (failures_ == 0) return {};
    return Error{
        fmt::format("{} of {} runs could not be inspected or evaluated: {}; --resume tries again",
                    failures_, plan_.runs.size(), failure_),
        ErrorKind::failed};
  }

 private:
  Status begin() {
    const std::filesystem::path& directory = plan_.directory;
    Status done;
    if (plan_.forgets_manifest) done = base::remove_file(directory / manifest_name);
    if (done) done = remove_listed(directory, plan_.untrue);
    if (done && plan_.writes_study_file) done = write_study_file(study_, directory);
    if (!done) return done;
    const Result<Statements> stated = record_statements(study_, directory);
    return stated ? Status() : stated.error();
  }

  /// The lock of the study's directory is not enough: `lookback train` can be at work in that of the run.
  /// An inspection or evaluation that cannot be made keeps none of the others from being made.
  Status carry_out_run(const RunPlan& planned, std::uint64_t tokens_after) {
    const RunConfig& config = planned.config;
    const auto run = lock_for(Result<RunPlan>(planned),
                              [&] { return plan_run(config, planned.directory, true); });
    if (!run) return run.error();
    Status done = study::carry_out(run->plan, run->lock, tokens_after, engine_, listener_);
    if (!done || !run->plan.looks) return done;
    Status looked = look_at_run(config, run->lock, engine_, listener_);
    if (looked || looked.fails_with(ErrorKind::stopped)) return looked;
    listener_.message(looked.error().message);
    if (failures_++ == 0) failure_ = looked.error().message;
    return {};
  }

  /// Of a study that was finished before, summary.json has its question to change, and nothing else.
  Status end() {
    const std::filesystem::path& directory = plan_.directory;
    if (Status held = lock_.check(); !held) return held;
    Status written = plan_.is_finished
                         ? update_summary(study_, directory)
                         : write_summary(study_, directory, engine_.workers().count(), listener_);
    if (!written) return written;
    if (plan_.is_finished) {
      listener_.message(fmt::format("{}: this study is finished", directory.string()));
    }
    if (Status held = lock_.check(); !held) return held;
    const Result<nlohmann::json> ledger = write_ledger(study_, directory);
    return ledger ? Status() : ledger.error();
  }

  const Study& study_;
  const StudyPlan& plan_;
  const DirectoryLock& lock_;
  model::Engine& engine_;
  Listener& listener_;
  std::uint64_t failures_ = 0;
  std::string failure_;  // the first
};

}  // namespace

Status run_study(const Study& study, const std::filesystem::path& directory, bool resume,
                 model::Engine& engine, Listener& listener) {
  const auto make = [&] { return plan_study(study, directory, resume); };
  const auto planned = lock_for(make(), make);
  if (!planned) return planned.error();
  return PlannedStudy(study, planned->plan, planned->lock, engine, listener).carry_out();
}

Status run_single(const RunConfig& config, const std::filesystem::path& directory, bool resume,
                  model::Engine& engine, Listener& listener) {
  const auto make = [&] { return plan_single(config, directory, resume); };
  const auto planned = lock_for(make(), make);
  if (!planned) return planned.error();
  const RunPlan& run = planned->plan.runs.front();
  if (run.work == Work::leave || run.work == Work::inspect) {
    listener.message(fmt::format("{}: this run has ended", directory.string()));
  }
  Status done = carry_out(run, planned->lock, 0, engine, listener);
  if (!done || !run.looks) return done;
  return look_at_run(config, planned->lock, engine, listener);
}

}  // namespace lookback::study
