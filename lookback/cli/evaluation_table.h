// The article's table, for one model or for a study's arms.
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

/// The checksum of GPT-2's tokenizer.json, as results name it; the article's models use it.
inline constexpr std::string_view gpt2_tokenizer = "d15f2b577395d427";

/// Rows in the article's order: the number of documents (sequences, windows), a column per arm,
/// then the article's two. A cell is the mean over runs "+-" the standard deviation between them
/// or, for a single run, the standard error over documents; a share for which all documents are
/// right, or none, in every run has the exact 95% interval over one run's documents instead. "-" if
/// it was not measured. Rows that no run has are omitted.
///
/// The article's numbers are shown only beside scores that they can be compared with. Shares of
/// documents whose texts are scored whole (HellaSwag, ARC, LAMBADA) can be compared for any
/// tokenizer; scores that count tokens or draw from the vocabulary only if every run has GPT-2's.
/// Without any such row both columns are omitted.
std::string evaluation_table(const std::vector<EvaluatedArm>& arms);

/// What a reader of the table must know, one line each: which numbers of the article were left out,
/// and evaluation files and texts that scripts/get-data does not verify. Empty if there is nothing.
std::string evaluation_notes(const std::vector<EvaluatedArm>& arms);

/// Induction and previous-token scores of every head, the best first; empty if none were measured.
std::string head_table(const language::TaskResults& results);

}  // namespace lookback::cli
