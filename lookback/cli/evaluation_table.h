// The article's table, of one model or of a study's arms.
#pragma once

#include <string>
#include <vector>

#include "lookback/language/task_results.h"

namespace lookback::cli {

/// A column of the table: an arm's runs, or one model.
struct EvaluatedArm {
  std::string name;
  std::vector<language::TaskResults> runs;
};

/// Rows in the article's order: how many documents (sequences, windows), a column an arm, then the
/// article's two. A cell is the mean over runs
/// "+-" the standard deviation between them or, of one run, the standard error over documents; "-" where
/// it was not measured. Rows that no run has are left out.
std::string evaluation_table(const std::vector<EvaluatedArm>& arms);

/// Induction and previous-token scores of every head, the best first; empty where none were measured.
std::string head_table(const language::TaskResults& results);

}  // namespace lookback::cli
