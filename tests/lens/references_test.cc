#include "lookback/lens/references.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lookback/lens/intervention.h"
#include "lookback/model/cpu_engine.h"
#include "tests/lens/patterns.h"
#include "tests/lens/runner.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

const std::vector<std::string> embeddings{"hook_embed"};
const std::vector<std::string> both{"hook_embed", "blocks.0.attn.hook_z"};
constexpr std::size_t no_memory = 0;

class ReferenceMeans : public testing::Test {
 protected:
  std::shared_ptr<const Recording> mean(References& references, std::size_t group,
                                        const std::vector<std::string>& names) {
    auto found = references.mean(group, names, *session_);
    EXPECT_TRUE(found);
    return found ? *found : nullptr;
  }
  References of(std::size_t groups, std::size_t memory = std::size_t{1} << 28) {
    return {view_, *probe_, groups, memory};
  }
  static std::vector<float> numbers(math::Matrix<const float> rows) {
    return {rows.data, rows.data + rows.rows * rows.cols};
  }

  SmallModel model_ = random_model(small_architecture());
  std::unique_ptr<data::BlockSource> probe_ = small_probe(data::BlockKind::repeated_blocks);
  Model view_{model_.program, model_.parameters};
  model::CpuEngine engine_{2};
  std::unique_ptr<model::Session> session_ = engine_.open(model_.program, model::Keep::everything);
  Runner runner_{view_, probe_->length()};
};

TEST_F(ReferenceMeans, AreOverTheSequencesOfTheirGroupPositionByPosition) {
  References references = of(4);
  for (const std::size_t group : {0U, 3U}) {
    const auto found = numbers(mean(references, group, both)->at(both[1], 1));
    std::vector<double> sums(found.size());
    for (std::size_t i = 0; i < references_per_group; ++i) {
      Recording recording;
      const std::uint64_t index = first_reference + group * references_per_group + i;
      ASSERT_TRUE(runner_.record(probe_->sequence(index), both, recording));
      const auto z = numbers(recording.at(both[1], 1));
      for (std::size_t n = 0; n < sums.size(); ++n) sums[n] += static_cast<double>(z[n]);
    }
    for (std::size_t n = 0; n < sums.size(); ++n) {
      // Sums of doubles in another order are far within the rounding to float.
      const double expected = sums[n] / references_per_group;
      EXPECT_NEAR(found[n], expected, std::numeric_limits<float>::epsilon() * std::abs(expected));
    }
  }
}

TEST_F(ReferenceMeans, AreMadeOnceForAllThatShareThem) {
  References references = of(2);
  const auto first = mean(references, 1, both);
  EXPECT_EQ(mean(references, 1, both), first);
  EXPECT_EQ(mean(references, 1, embeddings), first);
  EXPECT_NE(mean(references, 0, both), first);
}

TEST_F(ReferenceMeans, GrowByTheNamesThatAreMissing) {
  References references = of(2);
  const auto some = mean(references, 0, embeddings);
  const auto more = mean(references, 0, {both[1]});
  EXPECT_EQ(numbers(more->at("hook_embed")), numbers(some->at("hook_embed")));
  EXPECT_EQ(mean(references, 0, both), more);
}

TEST_F(ReferenceMeans, HaveTheSameBitsWhateverIsSharedOrKept) {
  References shared = of(2);
  mean(shared, 0, embeddings);
  References unkept = of(7, no_memory);
  const auto again = mean(unkept, 0, both);
  EXPECT_NE(mean(unkept, 0, both), again);
  for (std::size_t head = 0; head < 2; ++head) {
    EXPECT_EQ(numbers(mean(shared, 0, both)->at(both[1], head)), numbers(again->at(both[1], head)));
  }
}

TEST_F(ReferenceMeans, GiveInterventionsTheSameFiguresSharedOrNot) {
  const std::vector<Intervention> all{[](Context& context) {
    return Edits{model::set(both[1], 0, context.replaced(both[1], 0, Replacement::mean))};
  }};
  References references = of(reference_groups(5));
  const auto alone = measure({view_, *probe_, 5, engine_}, both, all);
  const auto first = measure({view_, *probe_, 5, engine_, &references}, both, all);
  const auto second = measure({view_, *probe_, 5, engine_, &references}, both, all);
  ASSERT_TRUE(alone && first && second);
  EXPECT_EQ(first->rises(0), alone->rises(0));
  EXPECT_EQ(second->rises(0), alone->rises(0));
}

TEST_F(ReferenceMeans, RefuseAnActivationThatTheModelDoesNotHave) {
  References references = of(1);
  EXPECT_FALSE(references.mean(0, std::vector<std::string>{"hook_embedding"}, *session_));
}

}  // namespace
}  // namespace lookback::lens
