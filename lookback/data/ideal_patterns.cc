#include "lookback/data/ideal_patterns.h"

#include <algorithm>
#include <cstddef>

#include "lookback/base/require.h"

namespace lookback::data {
namespace {

/// Whether query t may look at source s. REQUIRES s <= t.
bool answers(IdealPattern kind, std::span<const Token> tokens, std::size_t t, std::size_t s) {
  LOOKBACK_REQUIRE_DEBUG(s <= t);
  switch (kind) {
    case IdealPattern::previous_token:
      return s + 1 == t;
    case IdealPattern::matching:
      return s >= 1 && tokens[s - 1] == tokens[t];
    case IdealPattern::duplicate_token:
      return s < t && tokens[s] == tokens[t];
  }
  return false;
}

}  // namespace

void ideal_pattern(IdealPattern kind, std::span<const Token> tokens, math::Matrix<float> pattern) {
  LOOKBACK_REQUIRE(tokens.size() == pattern.rows && tokens.size() == pattern.cols);
  for (std::size_t t = 0; t < pattern.rows; ++t) {
    float* row = pattern.row(t);
    std::fill_n(row, pattern.cols, 0.0F);
    std::size_t found = 0;
    for (std::size_t s = 0; s <= t; ++s) {
      if (!answers(kind, tokens, t, s)) continue;
      row[s] = 1;
      ++found;
    }
    if (found == 0) row[t] = 1;
    for (std::size_t s = 0; found > 1 && s <= t; ++s) row[s] /= static_cast<float>(found);
  }
}

}  // namespace lookback::data
