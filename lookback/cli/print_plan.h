// What --dry-run prints: the plan of a study or of one run, as a short table.
#pragma once

#include <string>

#include "lookback/study/study_plan.h"

namespace lookback::cli {

/// A line for the runs of one arm of which the same is planned, a line for each file of theirs that is
/// damaged, then the study's files that are removed or written and the tokens left to train on.
std::string plan_text(const study::StudyPlan& plan);

}  // namespace lookback::cli
