#include "lookback/study/run_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/study/evaluate_run.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// What becomes of a file that is lost.
std::string_view outcome_of(std::string_view name) {
  if (name == "timing.json") return "it only said how long training took, and is removed";
  if (name == "evaluation.json") {
    return "the run's own tasks are evaluated again; for others run `lookback eval` again";
  }
  return "it is made again";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// The last step before the first evaluation that these lines lack; none where that is the first of all.
/// A checkpoint is written after the evaluation of its step, so no run resumes from a later one.
std::optional<std::uint64_t> last_measured_step(const RunConfig& config,
                                                const std::vector<nlohmann::json>& lines) {
  const std::uint64_t last = train::step_count(config.train, config.data.length);
  auto line = lines.begin();
  for (std::uint64_t step = 0; step <= last; ++step) {
    if (!train::is_log_spaced(step, last, config.train.evaluations_per_decade)) continue;
    // A run that was shorter has a last line where this one makes none.
    while (line != lines.end() && (*line)["step"].get<std::uint64_t>() < step) ++line;
    if (line == lines.end() || (*line)["step"] != step) {
      return step == 0 ? std::nullopt : std::optional(step - 1);
    }
    ++line;
  }
  return last;
}

/// Finds a run's plan step by step.
class RunPlanner {
 public:
  RunPlanner(const RunConfig& config, const fs::path& run, bool resume)
      : run_(run), resume_(resume) {
    plan_.config = config;
    plan_.directory = run;
  }

  Result<RunPlan> plan() {
    for (const auto step :
         {&RunPlanner::find_changed_files, &RunPlanner::find_unlisted_files,
          &RunPlanner::check_configuration, &RunPlanner::find_damaged_checkpoints,
          &RunPlanner::find_state, &RunPlanner::find_start, &RunPlanner::find_work}) {
      if (Status found = (this->*step)(); !found) return found.error();
    }
    return std::move(plan_);
  }

 private:
  void note(std::string line) { plan_.notes.push_back(std::move(line)); }

  /// What is not as the manifest says. Where that is lost, the run's end is made again of metrics and
  /// checkpoints, which have checksums of their own.
  Status find_changed_files() {
    const Result<FoundManifest> manifest = find_manifest(run_);
    if (!manifest) return manifest.error();
    plan_.stamp = manifest->stamp;
    if (!resume_) return {};
    const Result<bool> results = base::is_there(run_ / "findings.json");
    if (!results) return results.error();
    has_results_ = *results;
    manifest_ = manifest->manifest;
    plan_.forgets_manifest = manifest->state == ManifestState::changed ||
                             (manifest->state == ManifestState::missing && has_results_);
    if (plan_.forgets_manifest) {
      note("manifest.json was changed or removed; what the run ended with is made again");
    }
    for (const auto& [name, file] : manifest_.files) {
      const Result<FileState> found = state_of_listed(run_, manifest_, name);
      if (!found) return found.error();
      if (*found == FileState::same) continue;
      give_up(name, *found == FileState::missing ? "is missing" : "was changed");
    }
    return {};
  }

  /// What an ended run's manifest does not list, and should.
  Status find_unlisted_files() {
    if (!manifest_.lists("findings.json")) return {};
    const Result<std::vector<std::string>> unlisted = unlisted_files(run_, manifest_);
    if (!unlisted) return unlisted.error();
    for (const std::string& name : *unlisted) {
      const bool is_a_persons = name.starts_with("checkpoints/") && !train::tokens_named_by(name);
      if (is_a_persons) continue;
      note(fmt::format("{} is not in {}; it is removed", name, manifest_name));
      plan_.lost_results.push_back(name);
    }
    return {};
  }

  /// What the loss of a file costs.
  void give_up(const std::string& name, std::string_view problem) {
    note(fmt::format("{} {}; {}", name, problem, outcome_of(name)));
    std::vector<std::string>& lost = plan_.lost_results;
    if (name == "timing.json" || name == "evaluation.json") {
      lost.push_back(name);
    } else if (name.starts_with("inspection.")) {
      lost.insert(lost.end(), std::begin(inspection_files), std::end(inspection_files));
    } else {
      plan_.reopens = true;
      if (name == "config.toml") config_is_lost_ = true;
      if (const auto tokens = train::tokens_named_by(name)) {
        first_lost_ = std::min(first_lost_.value_or(*tokens), *tokens);
      }
    }
  }

  /// Whether the directory's run is this one, or this one with fewer tokens. Errors: it is another.
  Status check_configuration() {
    const fs::path file = run_ / "config.toml";
    if (config_is_lost_) {
      if (is_owner(manifest_, plan_.config)) return {};
      return Error{fmt::format("{}: holds another run; use another --out", run_.string())};
    }
    const Result<bool> there = base::is_there(file);
    if (!there) return there.error();
    has_begun_ = *there;
    if (!*there) return {};
    const Result<std::string> found = read_config_text(run_);
    if (!found) return found.error();
    const std::string asked = to_toml(plan_.config);
    if (*found == asked) return {};
    const Result<RunConfig> config = parse_run_config(*found, file.string());
    if (!config) return config.error();
    plan_.lengthens = is_longer(plan_.config, *config);
    if (plan_.lengthens) return {};
    return Error{
        fmt::format("{}: this run was started with another configuration{}; use another --out",
                    file.string(), difference_text(*found, asked))};
  }

  bool is_lost(const fs::path& checkpoint) const {
    const auto tokens = train::tokens_named_by(checkpoint);
    return tokens && first_lost_ && *tokens >= *first_lost_;
  }

  /// Those of a run with results are checked: one that is under way passes over damaged ones. Training
  /// resumes from the newest checkpoint, so those after a lost one go with it.
  Status find_damaged_checkpoints() {
    if (!has_results_ && !first_lost_) return {};
    const auto files = base::entries_of(run_ / "checkpoints");
    if (!files) return files.error();
    const auto name_of = [](const fs::path& file) {
      return "checkpoints/" + file.filename().string();
    };
    for (const fs::path& file : *files) {
      const bool counts = has_results_ && train::tokens_named_by(file) && !is_lost(file) &&
                          !contains(plan_.lost_results, name_of(file));
      if (!counts || check_checkpoint(file, plan_.config)) continue;
      // It may be whole where it cannot be read now.
      if (const auto read = base::sum_of_file(file); !read) return read.error();
      if (check_checkpoint(file, plan_.config)) continue;
      give_up(name_of(file), "is damaged, or of another run");
    }
    if (!first_lost_) return {};
    for (const fs::path& file : *files) {
      if (is_lost(file)) plan_.lost_checkpoints.push_back(name_of(file));
    }
    plan_.lost_checkpoints.push_back(train::resume_path("").string());
    return {};
  }

  Status find_state() {
    is_damaged_ = plan_.forgets_manifest || plan_.reopens || !plan_.lost_results.empty();
    plan_.state = has_begun_ ? RunState::unfinished : RunState::nothing;
    plan_.trains = true;
    if (plan_.forgets_manifest || plan_.reopens) return {};
    const Result<OpenedRun> run = OpenedRun::open(run_);
    if (!run) return run.error();
    if (!run->has_ended()) return {};
    plan_.trains = plan_.reopens = plan_.lengthens;
    if (plan_.trains) return {};
    const Result<nlohmann::json> findings = run->read("findings.json");
    const bool diverged = findings && base::find_text(*findings, {"status"}) == "diverged";
    plan_.state = diverged ? RunState::diverged : RunState::finished;
    return {};
  }

  /// Where training starts: at the newest checkpoint that is whole, is not lost, and up to which the
  /// metrics are whole.
  Status find_start() {
    if (!plan_.trains) return {};
    const auto metrics = read_whole_metrics(run_ / "metrics.jsonl", identity_of(plan_.config));
    if (!metrics) return metrics.error();
    // A run of lookback 0.1 has neither a manifest nor lines with checksums.
    if (plan_.stamp.empty() && metrics->lines.empty() && !metrics->fault.empty()) {
      return Error{fmt::format(
          "{}: lookback 0.1 made this run, or it is one of another study; remove it, or "
          "use another --out",
          run_.string())};
    }
    std::vector<fs::path> lost;
    lost.reserve(plan_.lost_results.size() + plan_.lost_checkpoints.size());
    for (const auto* names : {&plan_.lost_results, &plan_.lost_checkpoints}) {
      for (const std::string& name : *names) lost.push_back(run_ / name);
    }
    const auto found =
        train::find_resume_point(run_, last_measured_step(plan_.config, metrics->lines), lost);
    if (!found) return found.error();
    for (const std::string& warning : found->warnings) note("passed over: " + warning);
    if (!metrics->fault.empty()) note("passed over: " + metrics->fault);
    return found->checkpoint ? start_from(found->checkpoint->header()) : Status();
  }

  Status start_from(const train::CheckpointHeader& header) {
    plan_.from_step = header.step;
    if (leads_to(header.config, plan_.config)) return {};
    return Error{fmt::format(
        "{}: its newest checkpoint, of step {}, is of another configuration{}; "
        "remove it, or use another --out",
        run_.string(), header.step, difference_text(header.config, to_toml(plan_.config)))};
  }

  Status find_work() {
    const std::string evaluation = "evaluation.json";
    const Result<bool> there = base::is_there(run_ / evaluation);
    if (!there) return there.error();
    // That of a run that ends again is of another end, as far as anybody can tell.
    if (plan_.trains && *there && !contains(plan_.lost_results, evaluation)) {
      note(fmt::format("{} goes with the run's end; {}", evaluation, outcome_of(evaluation)));
    }
    plan_.looks = plan_.trains || (resume_ && lacks_looks());
    const bool is_new = plan_.state == RunState::nothing && !plan_.from_step;
    plan_.work = is_damaged_ && !plan_.lengthens ? Work::repair
                 : plan_.lengthens               ? Work::lengthen
                 : is_new                        ? Work::make
                 : plan_.trains                  ? Work::resume
                 : plan_.looks                   ? Work::inspect
                                                 : Work::leave;
    return {};
  }

  /// Whether an ended run is still to be inspected or evaluated. What cannot be told is tried, and then
  /// the error is the one of the attempt.
  bool lacks_looks() const {
    if (!plan_.lost_results.empty()) return true;
    const Result<bool> inspection = lacks_inspection(plan_.config, run_);
    const Result<bool> evaluation = lacks_evaluation(plan_.config, run_);
    return !inspection || *inspection || !evaluation || *evaluation;
  }

  const fs::path& run_;
  bool resume_;
  RunPlan plan_;
  Manifest manifest_;  ///< empty where there is none that is whole
  bool has_results_ = false, has_begun_ = true, config_is_lost_ = false, is_damaged_ = false;
  std::optional<std::uint64_t> first_lost_;  ///< the tokens of the first checkpoint that is lost
};

}  // namespace

std::uint64_t RunPlan::steps() const { return train::step_count(config.train, config.data.length); }

std::uint64_t RunPlan::tokens_left() const {
  if (!trains) return 0;
  return (steps() - from_step.value_or(0)) * config.train.batch * config.data.length;
}

Result<RunPlan> plan_run(const RunConfig& config, const fs::path& directory, bool resume) {
  return RunPlanner(config, directory, resume).plan();
}

}  // namespace lookback::study
