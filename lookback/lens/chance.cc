#include "lookback/lens/chance.h"

#include <algorithm>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/lens/losses.h"
#include "lookback/math/view.h"

namespace lookback::lens {

HeadScores chance_scores(const data::Task& probe, std::size_t sequences) {
  LOOKBACK_REQUIRE(sequences >= 1);
  const std::size_t length = probe.length();
  std::vector<float> uniform(length * length);
  for (std::size_t t = 0; t < length; ++t) {
    std::fill_n(uniform.data() + t * length, t + 1, 1.0F / static_cast<float>(t + 1));
  }
  const math::Matrix<const float> pattern{uniform.data(), length, length, length};
  std::vector<Tally> tallies(head_measures().size());
  for (std::size_t i = 0; i < sequences; ++i) {
    const SequenceQueries queries(probe.sequence(i), probe.structure(i), probe.profile().habit);
    const HeadScores scores = score_pattern(pattern, queries);
    for (std::size_t m = 0; m < tallies.size(); ++m) {
      const HeadMeasure& measure = head_measures()[m];
      if (measure.over_repeated_part && queries.repeated().empty()) continue;
      tallies[m].add(scores.*measure.value);
    }
  }
  HeadScores chance;
  for (std::size_t m = 0; m < tallies.size(); ++m) {
    chance.*head_measures()[m].value = tallies[m].mean();
  }
  return chance;
}

}  // namespace lookback::lens
