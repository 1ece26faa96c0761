#include "lookback/study/study_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"
#include "lookback/study/statements.h"
#include "lookback/study/study_directory.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// Whether the arms of `longer` are those of `study`, or have more tokens.
bool leads_to(const Study& study, const Study& longer) {
  return study.name == longer.name &&
         std::ranges::equal(study.arms, longer.arms, [](const RunConfig& a, const RunConfig& b) {
           return a == b || is_longer(b, a);
         });
}

/// Finds a study's plan step by step.
class StudyPlanner {
 public:
  StudyPlanner(const Study& study, const fs::path& directory, bool resume)
      : study_(study), directory_(directory), file_(directory / "study.toml"), resume_(resume) {
    plan_.directory = directory;
  }

  Result<StudyPlan> plan() {
    for (const auto step :
         {&StudyPlanner::look_at_place, &StudyPlanner::read_manifest_there,
          &StudyPlanner::plan_study_file, &StudyPlanner::plan_growth, &StudyPlanner::plan_end,
          &StudyPlanner::check_statements, &StudyPlanner::plan_runs}) {
      if (Status found = (this->*step)(); !found) return found.error();
    }
    return std::move(plan_);
  }

 private:
  /// Whether the directory is this study's, or may become it.
  Status look_at_place() {
    if (Status fits = check_directory(directory_, DirectoryKind::study); !fits) return fits;
    const Result<DirectoryKind> kind = kind_of(directory_);
    if (!kind) return kind.error();
    has_begun_ = *kind == DirectoryKind::study;
    const Result<bool> there = base::is_there(file_);
    if (!there) return there.error();
    if (!*there) return {};
    Result<std::string> text = base::read_file(file_, base::largest_toml);
    if (!text) return text.error();
    found_ = std::move(*text);
    if (has_begun_ || found_ == study_.text) return {};
    return Error{
        fmt::format("{}: no study here was started from this file, which would be overwritten; use "
                    "another --out",
                    file_.string())};
  }

  Status read_manifest_there() {
    const Result<FoundManifest> found = find_manifest(directory_);
    if (!found) return found.error();
    manifest_ = found->manifest;
    plan_.stamp = found->stamp;
    plan_.forgets_manifest = found->state == ManifestState::changed;
    if (plan_.forgets_manifest && !resume_) return changed_file(directory_ / manifest_name);
    return {};
  }

  /// Errors: what its runs are was changed since they were started, and not from what is asked for.
  Status plan_study_file() {
    plan_.writes_study_file = found_ != study_.text || !is_study_of(manifest_, study_.text);
    if (plan_.writes_study_file) {  // it may be longer than the file it came from
      const Result<Study> readable = parse_runs_of_study(study_.text, file_.string());
      if (!readable) return readable.error();
    }
    is_changed_ = found_ && manifest_.owner.contains("runs") && !is_study_of(manifest_, *found_);
    if (!is_changed_) return {};
    if (!is_study_of(manifest_, study_.text)) return edited_runs(file_);
    return resume_ ? Status() : changed_file(file_);
  }

  /// More seeds and longer runs, which make untrue what the study found so far. Errors: another study, or
  /// one of more or of longer runs.
  Status plan_growth() {
    if (!found_ || is_changed_) return {};
    Result<Study> there = parse_runs_of_study(*found_, file_.string());
    if (!there) return there.error();
    // An inspection is no part of a run: whether there is one may change.
    for (std::size_t i = 0; i < std::min(there->arms.size(), study_.arms.size()); ++i) {
      there->arms[i].evaluate.inspect = study_.arms[i].evaluate.inspect;
    }
    if (!leads_to(*there, study_)) return another_study(*there);
    const std::string seeds = fmt::format("seeds = {}, asked {}", there->seeds, study_.seeds);
    if (there->seeds > study_.seeds) {
      return refusal(fmt::format("{}; add --seeds {}", seeds, there->seeds));
    }
    const bool is_longer = there->arms != study_.arms;
    if (!is_longer && there->seeds == study_.seeds) return {};
    if (resume_) return remove({"summary.json"});
    return refusal((is_longer ? "runs of fewer tokens than asked" : seeds) +
                   "; add --resume to add what is missing");
  }

  Error another_study(const Study& there) const {
    const Result<Study> asked = parse_runs_of_study(study_.text, "");
    const std::string difference = asked ? difference_text(there.text, asked->text) : "";
    if (leads_to(study_, there)) {
      return refusal("runs of more tokens than asked" + difference + "; ask for as many");
    }
    return Error{
        fmt::format("{} holds another study, or this one with other settings{}; use another "
                    "--out, or remove it",
                    directory_.string(), difference)};
  }

  /// What the directory's study has, and what to do about it.
  Error refusal(const std::string& found) const {
    return Error{fmt::format("{} holds this study with {}, or use another --out",
                             directory_.string(), found)};
  }

  /// Whether only question and claims are left to bring up to date, and ledger and page are to be removed
  /// until they are.
  Status plan_end() {
    const Result<bool> finished = is_finished(directory_);
    if (!finished && !resume_) return finished.error();
    plan_.is_finished = finished && *finished && !resume_;
    if (!resume_ && !plan_.is_finished && has_begun_) {
      return Error{fmt::format(
          "{} holds this study unfinished; add --resume to continue it, or use another --out",
          directory_.string())};
    }
    return found_ && *found_ != study_.text ? remove({"ledger.json", "report.html"}) : Status();
  }

  /// Those of the files that are there, or should be.
  Status remove(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const Result<bool> there = base::is_there(directory_ / name);
      if (!there) return there.error();
      if (*there || manifest_.lists(name)) plan_.untrue.emplace_back(name);
    }
    return {};
  }

  Status check_statements() {
    const Result<Statements> statements = read_statements(study_, directory_);
    return statements ? Status() : statements.error();
  }

  Status plan_runs() {
    plan_.runs.reserve(study_.run_count());
    for (std::uint64_t seed = 0; seed < study_.seeds; ++seed) {
      for (std::size_t arm = 0; arm < study_.arms.size(); ++arm) {
        const RunConfig config = study_.run(arm, seed);
        const fs::path run = run_directory(directory_, config.arm, seed);
        Result<RunPlan> planned = plan_run(config, run, resume_);
        if (!planned) return planned.error();
        if (plan_.is_finished && planned->work != Work::leave) return lacking_run(run);
        plan_.runs.push_back(std::move(*planned));
      }
    }
    return {};
  }

  const Study& study_;
  const fs::path& directory_;
  fs::path file_;
  bool resume_;
  StudyPlan plan_;
  Manifest manifest_;                 ///< empty where there is none that is whole
  std::optional<std::string> found_;  ///< study.toml
  bool has_begun_ = false, is_changed_ = false;
};

/// A study's summary and ledger would not know of a run that is made longer by itself.
Status check_is_of_no_study(const fs::path& run) {
  std::error_code error;
  const fs::path study = fs::canonical(run, error).parent_path().parent_path();
  if (error) return Error{fmt::format("{}: cannot resolve: {}", run.string(), error.message())};
  const Result<DirectoryKind> kind = kind_of(study);
  if (!kind) return kind.error();
  if (*kind != DirectoryKind::study) return {};
  return Error{
      fmt::format("{} holds this run with fewer tokens, as one of the study in {}; make the study "
                  "longer, or use another --out",
                  run.string(), study.string())};
}

}  // namespace

std::uint64_t StudyPlan::tokens_left() const {
  std::uint64_t tokens = 0;
  for (const RunPlan& run : runs) tokens += run.tokens_left();
  return tokens;
}

Result<StudyPlan> plan_study(const Study& study, const fs::path& directory, bool resume) {
  return StudyPlanner(study, directory, resume).plan();
}

Result<StudyPlan> plan_single(const RunConfig& config, const fs::path& directory, bool resume) {
  if (Status fits = check_directory(directory, DirectoryKind::run); !fits) return fits.error();
  Result<RunPlan> run = plan_run(config, directory, resume);
  if (!run) return run.error();
  if (run->lengthens) {
    if (Status alone = check_is_of_no_study(directory); !alone) return alone.error();
  }
  if (!resume && run->state == RunState::unfinished) {
    return Error{fmt::format("{} holds {}; add --resume to continue it, or use another --out",
                             directory.string(),
                             run->lengthens ? "this run with fewer tokens" : "an unfinished run")};
  }
  StudyPlan plan;
  plan.directory = directory;
  plan.stamp = run->stamp;
  plan.runs.push_back(std::move(*run));
  return plan;
}

}  // namespace lookback::study
