// What a command is about to do in the directory of a study, or of a single run, as data: everything that
// may differ there (more seeds, longer runs, other claims, runs that are missing, damaged or diverged) is
// looked at once, and whatever is refused is refused here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/run_plan.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

struct StudyPlan {
  std::filesystem::path directory;
  std::string stamp;          ///< of the manifest that the plan was made from (manifest.h)
  std::vector<RunPlan> runs;  ///< every run of the study, in the order they are made in

  std::vector<std::string> untrue;  ///< files that no longer hold, removed before the runs are made
  bool forgets_manifest = false;    ///< one that was changed
  bool writes_study_file = false;
  bool is_finished = false;  ///< nothing is left but its question, and what its claims come to

  std::uint64_t tokens_left() const;
};

/// The plan for a study in a directory that holds it, perhaps with fewer seeds or shorter runs, or
/// nothing yet. Its question and claims may be others than those it was run with, and those of the
/// directory's study.toml need not be readable. Changes nothing. Errors: another study, or a directory of
/// another kind; one with more seeds or longer runs; a study file of a person's own; without `resume`, a
/// study that is unfinished, is to grow, or whose files were changed; those of plan_run.
Result<StudyPlan> plan_study(const Study& study, const std::filesystem::path& directory,
                             bool resume);

/// The same for one run alone.
Result<StudyPlan> plan_single(const RunConfig& config, const std::filesystem::path& directory,
                              bool resume);

}  // namespace lookback::study
