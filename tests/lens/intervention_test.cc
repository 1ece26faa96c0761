#include "lookback/lens/intervention.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "lookback/model/cpu_engine.h"
#include "tests/lens/patterns.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

constexpr std::size_t intervened = 5;
const std::vector<std::string> recorded{"hook_embed", "blocks.0.attn.hook_z"};

class Interventions : public testing::Test {
 protected:
  Setting setting(std::size_t count = intervened) {
    return {{model_.program, model_.parameters}, *probe_, count, engine_};
  }
  /// Whether the rows are the embeddings of the tokens of sequence `index`.
  bool embeds(math::Matrix<const float> rows, std::uint64_t index) {
    const auto tokens = probe_->sequence(index);
    const auto table = model_.parameter("embed.W_E");
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      if (!std::equal(rows.row(t), rows.row(t) + 16, table.begin() + tokens[t] * 16)) return false;
    }
    return true;
  }

  SmallModel model_ = random_model(small_architecture());
  std::unique_ptr<data::BlockSource> probe_ = small_probe(data::BlockKind::repeated_blocks);
  model::CpuEngine engine_{2};
};

TEST_F(Interventions, ReplaceByASequenceOfTheirOwnOrTheMeanOfTheirGroup) {
  References references(setting().model, *probe_, reference_groups(intervened));
  const auto session = engine_.open(model_.program, model::Keep::everything);
  std::vector<std::shared_ptr<const Recording>> means;
  for (std::size_t group = 0; group < reference_groups(intervened); ++group) {
    const auto mean = references.mean(group, recorded, *session);
    ASSERT_TRUE(mean) << mean.error().message;
    means.push_back(*mean);
  }
  std::atomic<std::size_t> seen = 0;
  const Intervention look = [&](Context& context) {
    for (std::size_t index = 0; index < intervened; ++index) {
      if (!embeds(context.own().at("hook_embed"), index)) continue;
      ++seen;
      EXPECT_TRUE(
          embeds(context.replaced("hook_embed", 0, Replacement::resample), first_other + index));
      const auto mean = context.replaced("hook_embed", 0, Replacement::mean);
      const auto expected = means[index % means.size()]->at("hook_embed");
      EXPECT_TRUE(std::equal(expected.data, expected.data + 48 * 16, mean.data));
    }
    const auto zero = context.replaced("blocks.0.attn.hook_z", 1, Replacement::zero);
    EXPECT_EQ(zero.rows, 1U);
    EXPECT_EQ(zero.cols, 8U);
    EXPECT_EQ(zero(0, 7), 0.0F);
    return Edits{};
  };
  const auto measured = measure(setting(), recorded, std::vector{look});
  ASSERT_TRUE(measured);
  EXPECT_EQ(seen, intervened);
  EXPECT_EQ(measured->rise(0).mean, 0);
  EXPECT_EQ(measured->unedited().count, intervened);
}

TEST_F(Interventions, HaveAMeanForEachSequenceAndFromSixteenOnForEachGroup) {
  EXPECT_EQ(reference_groups(2), 2U);
  EXPECT_EQ(reference_groups(16), 16U);
  EXPECT_EQ(reference_groups(64), 16U);
}

TEST_F(Interventions, WithMeansRestOnGroupsAndWithoutThemOnSequences) {
  constexpr std::size_t count = 20;  // groups 0 to 3 have two sequences
  const auto set_z = [](Replacement replacement) {
    return [=](Context& context) {
      const std::string z = "blocks.0.attn.hook_z";
      return Edits{model::set(z, 0, context.replaced(z, 0, replacement))};
    };
  };
  const Component token{Component::Kind::token, 0, 0};
  const auto change_stream = [token](Replacement replacement) {
    return [=](Context& context) {
      return Edits{
          model::add("blocks.0.hook_resid_pre", std::nullopt, context.change(token, replacement))};
    };
  };
  const std::vector<Intervention> all{
      set_z(Replacement::zero),         set_z(Replacement::mean),
      set_z(Replacement::resample),     change_stream(Replacement::mean),
      change_stream(Replacement::zero), change_stream(Replacement::mean),  // made before
  };
  const auto measured = measure(setting(count), recorded, all);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->groups, (std::vector<std::size_t>{20, 16, 20, 16, 20, 16}));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Estimate expected = estimate(measured->rises(i), measured->groups[i]);
    EXPECT_EQ(measured->rise(i).standard_error, expected.standard_error);
    EXPECT_EQ(measured->rise(i).count, measured->groups[i]);
  }
}

TEST_F(Interventions, ChangeAStreamByReplacementMinusComponent) {
  const Intervention look = [&](Context& context) {
    const Component token{Component::Kind::token, 0, 0};
    const auto own = context.own().at("hook_embed");
    for (const Replacement replacement :
         {Replacement::zero, Replacement::mean, Replacement::resample}) {
      const auto change = context.change(token, replacement);
      const auto other = context.replaced("hook_embed", 0, replacement);
      for (std::size_t t = 0; t < 48; ++t) {
        const std::size_t row = other.rows == 1 ? 0 : t;
        for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(change(t, i), other(row, i) - own(t, i));
      }
      EXPECT_EQ(context.change(token, replacement).data, change.data);  // computed once
    }
    return Edits{};
  };
  EXPECT_TRUE(measure(setting(), recorded, std::vector{look}));
}

TEST_F(Interventions, GiveTheSameBitsForAnyNumberOfThreads) {
  const std::vector<Intervention> all{[](Context& context) {
    const std::string z = "blocks.0.attn.hook_z";
    return Edits{model::set(z, 0, context.replaced(z, 0, Replacement::mean))};
  }};
  const auto two = measure(setting(), recorded, all);
  ASSERT_TRUE(two);
  for (const std::size_t threads : {1U, 3U}) {
    model::CpuEngine engine(threads);
    const auto other = measure({setting().model, *probe_, intervened, engine}, recorded, all);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->unedited().mean, two->unedited().mean);
    EXPECT_EQ(other->rises(0), two->rises(0));
  }
}

TEST_F(Interventions, RefuseWhatCannotBeMeasured) {
  const Intervention wrong = [](Context&) {
    Edit edit;
    edit.activation = "blocks.7.attn.hook_z";
    return Edits{edit};
  };
  EXPECT_FALSE(measure(setting(), recorded, std::vector{wrong}));
  EXPECT_FALSE(measure(setting(1), recorded, {}));
  const std::vector<std::string> unknown{"hook_embedding"};
  const auto names = measure(setting(), unknown, {});
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().message,
            "no activation is named 'hook_embedding'; the nearest is 'hook_embed'");
}

}  // namespace
}  // namespace lookback::lens
