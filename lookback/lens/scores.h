// Scores of one head's attention pattern on one sequence of a task.
//
// Legend: T positions. A[t,s] is the pattern: the share of its attention that query t gives to source
// s <= t; its rows sum to 1. The task's structure names the answers of a query: the sources that tell
// what comes next. The repeated part R is the set of queries that have any. Every score is a mean over
// queries, thus in [0,1] (entropy apart):
//
//   induction_score        1/|R| sum_{t in R} sum of A[t,s] over s in 1..t with x_{s-1} = x_t
//   induction_stripe       1/|R| sum_{t in R} sum of A[t,s] over the answers s of t. In repeated blocks
//                          that is one source, one copy back, and one of the above, so stripe <= score;
//                          a head may well look further back.
//   induction_chance       what induction_score is for A[t,s] = 1/(t+1)
//   duplicate_token_score  1/|R| sum_{t in R} sum of A[t,s] over s < t with x_s = x_t
//   band_share             1/|R| sum_{t in R} sum of A[t,s] over s with t - s among the distances that
//                          a head could look at by habit: the periods of training, what counting
//                          periods would look at. NaN where the task has no such distances.
//   previous_token_score   1/n sum_{t=1..n} A[t,t-1], n = min(opening, T - 1): before anything can be
//                          answered (in repeated blocks the first copy). Later a previous-token head
//                          need not be sharp, for matching works without.
//   entropy                1/(T-1) sum_{t=1..T-1} -sum_s A[t,s] ln A[t,s], in nats, 0 ln 0 = 0
//
// All queries of R count, and no others: a head that is perfect in R scores 1. (Detectors that
// count the rows of the first copy, which nothing can answer, give a perfect head one half.)
// The definitions follow Elhage et al. 2021 and Olsson et al. 2022, "In-context Learning and
// Induction Heads".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/data/task.h"
#include "lookback/math/view.h"

namespace lookback::lens {

/// See the formulas above. Those over R are NaN where a sequence has no such query.
struct HeadScores {
  double induction_score = 0;
  double induction_stripe = 0;
  double induction_chance = 0;
  double previous_token_score = 0;
  double duplicate_token_score = 0;
  double entropy = 0;
  double band_share = 0;

  bool operator==(const HeadScores&) const = default;
};

/// One score by its name in files and whether it is a mean over R.
struct HeadMeasure {
  std::string_view name;
  double HeadScores::*value;
  bool over_repeated_part;
};

/// Every member of HeadScores, in its order.
std::span<const HeadMeasure> head_measures();

/// Which sources matter to which queries in one sequence: found once, used for every head.
class SequenceQueries {
 public:
  /// REQUIRES tokens [T], T = structure.length().
  SequenceQueries(std::span<const data::Token> tokens, const data::Structure& structure,
                  std::optional<data::Offsets> habit);

  /// A query of R. Its duplicates are the s < t with x_s = x_t; a duplicate s makes s + 1 a source
  /// for induction, and there are no others.
  struct Query {
    std::size_t position = 0;             ///< t
    std::vector<std::size_t> answers;     ///< ascending
    std::vector<std::size_t> duplicates;  ///< descending
  };

  std::size_t length() const { return length_; }
  std::size_t opening() const { return opening_; }
  const std::vector<Query>& repeated() const { return repeated_; }
  const std::optional<data::Offsets>& habit() const { return habit_; }

 private:
  std::size_t length_;
  std::size_t opening_;
  std::optional<data::Offsets> habit_;
  std::vector<Query> repeated_;
};

/// The scores of a pattern [T,T]; entries above the diagonal are not read.
/// REQUIRES T = queries.length() >= 2.
HeadScores score_pattern(math::Matrix<const float> pattern, const SequenceQueries& queries);

}  // namespace lookback::lens
