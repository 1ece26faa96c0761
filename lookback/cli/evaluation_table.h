// The article's table, of one model or of a study's arms.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lookback/language/task_results.h"

namespace lookback::cli {

/// A column of the table: an arm's runs, or one model.
struct EvaluatedArm {
  std::string name;
  std::vector<language::TaskResults> runs;
};

/// The checksum of GPT-2's tokenizer.json, as results name it: that of the article's models.
inline constexpr std::string_view gpt2_tokenizer = "d15f2b577395d427";

/// Rows in the article's order: how many documents (sequences, windows), a column an arm, then the
/// article's two. A cell is the mean over runs "+-" the standard deviation between them or, of one run,
/// the standard error over documents; a share of which all documents are right, or none, in every run
/// has the exact interval of 95% over one run's documents instead. "-" where it was not measured. Rows
/// that no run has are left out.
///
/// The article's figures stand beside those that they can be compared with. Shares of documents whose
/// texts are scored whole (HellaSwag, ARC, LAMBADA) can be whatever the tokenizer; what is counted in
/// tokens or drawn from a vocabulary only where every run has GPT-2's. Without any both columns are
/// left out.
std::string evaluation_table(const std::vector<EvaluatedArm>& arms);

/// What a reader of the table must know, a line each: which figures of the article were left out,
/// and evaluation files and texts that scripts/get-data does not verify. Empty where there is nothing.
std::string evaluation_notes(const std::vector<EvaluatedArm>& arms);

/// Induction and previous-token scores of every head, the best first; empty where none were measured.
std::string head_table(const language::TaskResults& results);

}  // namespace lookback::cli
