#include "lookback/lens/scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

using Pattern = math::Matrix<const float>;
using Query = SequenceQueries::Query;

/// For each t the last s < t with x_s = x_t: all of them are found by going on from there.
std::vector<std::optional<std::size_t>> previous_occurrences(std::span<const data::Token> tokens) {
  std::vector<std::optional<std::size_t>> previous(tokens.size());
  std::unordered_map<data::Token, std::size_t> last;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto [seen, is_new] = last.try_emplace(tokens[t], t);
    if (!is_new) previous[t] = seen->second;
    seen->second = t;
  }
  return previous;
}

double mass_at(Pattern pattern, std::size_t t, data::Offsets distances) {
  if (t < distances.first) return 0;
  const std::size_t first = t - std::min(t, distances.last);
  double mass = 0;
  for (std::size_t s = first; s <= t - distances.first; ++s) mass += pattern(t, s);
  return mass;
}

/// The scores over R, as sums over its queries.
HeadScores sum_over_repeated(Pattern pattern, const SequenceQueries& queries) {
  HeadScores sums;
  for (const Query& query : queries.repeated()) {
    const std::size_t t = query.position;
    for (const std::size_t s : query.duplicates) {
      sums.induction_score += pattern(t, s + 1);
      sums.duplicate_token_score += pattern(t, s);
    }
    for (const std::size_t s : query.answers) sums.induction_stripe += pattern(t, s);
    sums.induction_chance +=
        static_cast<double>(query.duplicates.size()) / static_cast<double>(t + 1);
    if (queries.habit()) sums.band_share += mass_at(pattern, t, *queries.habit());
  }
  return sums;
}

double previous_token_score(Pattern pattern, std::size_t opening) {
  const std::size_t last = std::min(opening, pattern.rows - 1);
  double mass = 0;
  for (std::size_t t = 1; t <= last; ++t) mass += pattern(t, t - 1);
  return mass / static_cast<double>(last);
}

/// The logarithm is taken in float: its error is that of the pattern's own rounding.
double mean_entropy(Pattern pattern) {
  double sum = 0;
  for (std::size_t t = 1; t < pattern.rows; ++t) {
    const float* row = pattern.row(t);
    for (std::size_t s = 0; s <= t; ++s) {
      if (row[s] != 0.0F)
        sum -= static_cast<double>(row[s]) * static_cast<double>(std::log(row[s]));
    }
  }
  return sum / static_cast<double>(pattern.rows - 1);
}

}  // namespace

std::span<const HeadMeasure> head_measures() {
  static constexpr std::array measures{
      HeadMeasure{"induction_score", &HeadScores::induction_score, true},
      HeadMeasure{"induction_stripe", &HeadScores::induction_stripe, true},
      HeadMeasure{"induction_chance", &HeadScores::induction_chance, true},
      HeadMeasure{"previous_token_score", &HeadScores::previous_token_score, false},
      HeadMeasure{"duplicate_token_score", &HeadScores::duplicate_token_score, true},
      HeadMeasure{"entropy", &HeadScores::entropy, false},
      HeadMeasure{"band_share", &HeadScores::band_share, true},
  };
  return measures;
}

SequenceQueries::SequenceQueries(std::span<const data::Token> tokens,
                                 const data::Structure& structure,
                                 std::optional<data::Offsets> habit)
    : length_(tokens.size()), opening_(structure.opening), habit_(habit) {
  LOOKBACK_REQUIRE(tokens.size() == structure.length());
  const auto previous = previous_occurrences(tokens);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto answers = structure.answers(t);
    if (answers.empty()) continue;
    Query query{t, {answers.begin(), answers.end()}, {}};
    for (auto s = previous[t]; s; s = previous[*s]) query.duplicates.push_back(*s);
    repeated_.push_back(std::move(query));
  }
}

HeadScores score_pattern(math::Matrix<const float> pattern, const SequenceQueries& queries) {
  LOOKBACK_REQUIRE(pattern.rows == queries.length() && pattern.cols == pattern.rows &&
                   pattern.rows >= 2);
  HeadScores scores = sum_over_repeated(pattern, queries);
  const auto repeated = static_cast<double>(queries.repeated().size());
  for (const HeadMeasure& measure : head_measures()) {
    if (!measure.over_repeated_part) continue;
    double& score = scores.*measure.value;
    score = repeated > 0 ? score / repeated : std::numeric_limits<double>::quiet_NaN();
  }
  if (!queries.habit()) scores.band_share = std::numeric_limits<double>::quiet_NaN();
  scores.previous_token_score = previous_token_score(pattern, queries.opening());
  scores.entropy = mean_entropy(pattern);
  return scores;
}

}  // namespace lookback::lens
