// The next token is drawn as temperature and top-k say, and from the stream alone.
#include "lookback/model/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lookback::model::spec {
namespace {

base::RandomStream stream(std::uint64_t index = 0) { return {7, base::StreamPurpose::test, index}; }

std::vector<double> frequencies(const std::vector<float>& logits, const Sampling& sampling) {
  constexpr int draws = 20'000;
  std::vector<double> counts(logits.size());
  base::RandomStream random = stream();
  for (int i = 0; i < draws; ++i) counts[sample(logits, sampling, random)] += 1.0 / draws;
  return counts;
}

TEST(Sampling, TemperatureZeroTakesTheMostLikelyAndNoDraw) {
  base::RandomStream random = stream(), untouched = stream();
  EXPECT_EQ(sample(std::vector<float>{1, 5, 2, 5}, {.temperature = 0}, random), 1);
  EXPECT_EQ(random.next(), untouched.next());
}

TEST(Sampling, FrequenciesAreTheSoftmaxOfLogitsOverTemperature) {
  const std::vector<float> logits = {0, 1, 2, -1};
  for (const double temperature : {0.5, 1.0, 2.0}) {
    double sum = 0;
    for (const float x : logits) sum += std::exp(x / temperature);
    const std::vector<double> found = frequencies(logits, {.temperature = temperature});
    for (std::size_t t = 0; t < logits.size(); ++t) {
      // Five standard deviations of a share of 20,000 draws are at most 0.018.
      EXPECT_NEAR(found[t], std::exp(logits[t] / temperature) / sum, 0.018) << temperature;
    }
  }
}

TEST(Sampling, TopKDrawsFromTheMostLikelyAlone) {
  const std::vector<double> found = frequencies({3, 1, 2, 3, 0}, {.temperature = 1, .top_k = 3});
  EXPECT_EQ(found[1], 0);
  EXPECT_EQ(found[4], 0);
  EXPECT_NEAR(found[0], found[3], 0.025);
  EXPECT_GT(found[2], 0);
}

TEST(Sampling, TopKBeyondTheVocabularyIsAllOfIt) {
  base::RandomStream one = stream(), other = stream();
  const std::vector<float> logits = {1, 2, 3};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(sample(logits, {.top_k = 100}, one), sample(logits, {}, other));
  }
}

TEST(Sampling, OfEqualLogitsTheLowerTokenIsAmongTheTopK) {
  base::RandomStream random = stream();
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(sample(std::vector<float>{0, 4, 4, 4}, {.top_k = 1}, random), 1);
  }
}

TEST(Sampling, ATinyTemperatureNeitherOverflowsNorLeavesTheBest) {
  base::RandomStream random = stream();
  EXPECT_EQ(sample(std::vector<float>{-900, 900, 0}, {.temperature = 1e-30}, random), 1);
}

}  // namespace
}  // namespace lookback::model::spec
