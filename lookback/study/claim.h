// A claim: a sentence that runs can decide, with the tests that decide it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/toml_table.h"

namespace lookback::study {

enum class Relation {
  above,  ///< the figure is above a number, or above another figure
  below,
  between,  ///< within two numbers, both included
  is,       ///< the figure is a word
  present,  ///< the run has the figure at all: it has had a transition
  absent,
};
/// "above", "below", "between", "is", "present", "absent".
const char* name_of(Relation relation);

/// What of the seeds must be on the claim's side.
enum class DecidedBy {
  mean,        ///< the interval of 95% of the mean, of figures or of differences paired by seed
  every_seed,  ///< each of them: one counterexample contradicts
};
/// "mean", "every-seed".
const char* name_of(DecidedBy decided_by);

/// A predicate over a figure (quantities.h) of one arm's runs. Against another figure, of the same
/// seed, the predicate is: figure > times x other + by (below: <).
struct ClaimTest {
  std::string finding;
  std::string probe = "repeated-blocks";
  std::string arm;
  Relation relation = Relation::above;
  bool against_other = false;  ///< another figure, not a number
  std::string other_arm, other_finding;
  double times = 1, by = 0;
  double low = 0, high = 0;  ///< the number (`low`) or numbers
  std::string word;
  DecidedBy decided_by = DecidedBy::mean;
};

struct Claim {
  std::string name;
  std::optional<std::uint64_t> number;  ///< of the article's claims
  std::string says;
  std::string article;             ///< the article's own words, or none
  std::string article_figure;      ///< and its figure
  std::uint64_t needs_tokens = 0;  ///< a run: with fewer, it is not tested at this size
  std::vector<ClaimTest> tests;    ///< all must hold; at least one
};

/// Reads the [[claim]]s of a study whose arms have these names. Errors are recorded in the reader.
std::vector<Claim> read_claims(base::TableReader& study, const std::vector<std::string>& arms);

/// A test in words: "the best head's induction score at the end, two-layer: above that of sequential".
std::string sentence_of(const ClaimTest& test);

/// A number as a claim shows it: tokens as 6.77M, others with three digits.
std::string shown_number(double value, std::string_view unit);

}  // namespace lookback::study
