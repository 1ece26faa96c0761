#include "lookback/lens/patching.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lookback/model/cpu_engine.h"
#include "tests/lens/all_wirings.h"
#include "tests/lens/circuits.h"
#include "tests/lens/runner.h"

namespace lookback::lens {
namespace {

constexpr std::size_t period = 6;
constexpr std::size_t length = 2 * period;

model::Architecture short_architecture() {
  model::Architecture a = small_architecture();
  a.context = length;
  return a;
}

Patching patch(const SmallModel& model, Corruption corruption, std::size_t threads = 1,
               const PatchingLimits& limits = {}) {
  model::CpuEngine engine(threads);
  Result<Patching> result =
      patching({model.program, model.parameters}, period, corruption, 3, engine, limits);
  EXPECT_TRUE(result) << result.error().message;
  return result ? std::move(*result) : Patching{};
}

const HeadPatch& find(const Patching& result, HeadPlace head, Patched activation) {
  for (const HeadPatch& patch : result.heads) {
    if (patch.head == head && patch.activation == activation) return patch;
  }
  ADD_FAILURE() << "no such patch";
  static const HeadPatch none;
  return none;
}

template <class Act>
void for_each(const Patching& result, Act act) {
  for (const HeadPatch& patch : result.heads) {
    act(patch.whole);
    for (const Estimate& restored : patch.by_position) act(restored);
  }
  for (const PathPatch& path : result.paths) act(path.restored);
}

// --- the pairs

TEST(CorruptedPair, OfAnAnswerChangesWhatIsToBeCopied) {
  for (std::uint64_t index = 0; index < 50; ++index) {
    const auto pair = corrupted_pair(16, period, Corruption::answer, index);
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->query, 10U);
    EXPECT_EQ(pair->changed, 5U);
    EXPECT_EQ(pair->right, pair->clean[5]);
    EXPECT_EQ(pair->clean[4], pair->clean[pair->query]);
    for (std::size_t t = 0; t < length; ++t) {
      EXPECT_EQ(pair->clean[t] == pair->corrupted[t], t != 5) << t;
      EXPECT_LT(pair->corrupted[t], 16U);
      EXPECT_EQ(pair->clean[t], pair->clean[t % 6]);
    }
  }
}

TEST(CorruptedPair, OfAMatchChangesTheTokenThatTheQueryLooksFor) {
  const auto pair = corrupted_pair(16, period, Corruption::match, 7);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->changed, 4U);
  EXPECT_NE(pair->corrupted[4], pair->corrupted[pair->query]);
  EXPECT_EQ(pair->corrupted[5], pair->right);
}

TEST(CorruptedPair, DrawsEveryOtherToken) {
  std::vector<std::size_t> seen(3);
  for (std::uint64_t index = 0; index < 90; ++index) {
    const auto pair = corrupted_pair(3, 2, Corruption::answer, index);
    ASSERT_TRUE(pair);
    ++seen[(pair->corrupted[1] + 3 - pair->clean[1]) % 3];
  }
  EXPECT_EQ(seen[0], 0U);
  EXPECT_GT(seen[1], 20U);  // 45 expected, standard deviation 4.7
  EXPECT_GT(seen[2], 20U);
}

TEST(CorruptedPair, RefusesWhatHoldsNoQuery) {
  const auto accepts = [](std::size_t vocabulary, std::size_t tokens) {
    return static_cast<bool>(corrupted_pair(vocabulary, tokens, Corruption::answer, 0));
  };
  EXPECT_TRUE(accepts(16, 2));
  EXPECT_FALSE(accepts(16, 1));
  EXPECT_FALSE(accepts(16, std::size_t{1} << 63));
  EXPECT_FALSE(accepts(1, 4));
}

// --- known answers

TEST(Patching, OfTheWholeLastStreamRestoresExactlyEverything) {
  const SmallModel small = shaken_model(short_architecture());
  const auto pair = corrupted_pair(16, period, Corruption::match, 0);
  ASSERT_TRUE(pair);
  Runner runner({small.program, small.parameters}, length);
  const std::vector<std::string> names{"blocks.1.hook_resid_post"};
  Recording clean;
  ASSERT_TRUE(runner.record(pair->clean, names, clean));
  const double expected = runner.log_probability(pair->query, pair->right);
  Edit everything;
  everything.activation = names[0];
  everything.value = clean.at(names[0]);
  ASSERT_TRUE(runner.run(pair->corrupted));
  EXPECT_NE(runner.log_probability(pair->query, pair->right), expected);
  ASSERT_TRUE(runner.run(pair->corrupted, {everything}));
  EXPECT_EQ(runner.log_probability(pair->query, pair->right), expected);
}

TEST(Patching, OfTheOnlyHeadRestoresExactlyEverything) {
  // With one head in all, the query's logits differ by what that head writes at the query.
  model::Architecture a = short_architecture();
  a.layers = 1;
  a.heads = 1;
  const Patching result = patch(shaken_model(a), Corruption::answer);
  const HeadPatch& z = find(result, {0, 0}, Patched::z);
  EXPECT_EQ(z.whole.mean, 1);
  EXPECT_EQ(z.whole.standard_error, 0);
  EXPECT_EQ(z.by_position[result.query].mean, 1);
  for (std::size_t t = 0; t < length; ++t) {
    if (t == result.query) continue;
    EXPECT_EQ(z.by_position[t].mean, 0) << t;
  }
  EXPECT_TRUE(result.paths.size() == 2 && !result.paths[0].to);  // token and head 0.0 to the logits
  // Nothing but the head tells the query what the corrupted position holds.
  EXPECT_EQ(result.paths[0].restored.mean, 0);
}

TEST(Patching, OfWhatIsTheSameInBothRestoresNothing) {
  const Patching result = patch(shaken_model(short_architecture()), Corruption::match);
  for (const HeadPatch& patch : result.heads) {
    ASSERT_EQ(patch.by_position.size(), length);
    for (std::size_t t = 0; t < length; ++t) {
      // Causality: nothing differs before the changed token; embeddings differ nowhere else.
      const bool same = t < result.changed ||
                        (patch.head.layer == 0 && t != result.changed &&
                         patch.activation != Patched::z && patch.activation != Patched::pattern);
      if (same) {
        EXPECT_EQ(patch.by_position[t].mean, 0);
        EXPECT_EQ(patch.by_position[t].standard_error, 0);
      }
    }
    // In the last layer only the query's own q, z and row of the pattern reach its logits.
    const bool row_alone = patch.activation == Patched::q || patch.activation == Patched::z ||
                           patch.activation == Patched::pattern;
    for (std::size_t t = 0; patch.head.layer == 1 && row_alone && t < length; ++t) {
      if (t == result.query) continue;
      EXPECT_EQ(patch.by_position[t].mean, 0) << t;
    }
  }
}

TEST(Patching, OfAHeadThatWritesNothingRestoresNothing) {
  SmallModel model = shaken_model(short_architecture());
  std::fill_n(model.parameter("blocks.0.attn.W_O").begin(), 8 * 16, 0.0F);  // head 0's rows
  const Patching result = patch(model, Corruption::answer);
  for (const HeadPatch& patch : result.heads) {
    if (patch.head != HeadPlace{0, 0}) continue;
    EXPECT_EQ(patch.whole.mean, 0);
  }
  for (const PathPatch& path : result.paths) {
    if (path.from == Component{Component::Kind::head, 0, 0} && !path.to) {
      EXPECT_EQ(path.restored.mean, 0);
    }
  }
}

TEST(Patching, AtAPeriodTrainedOnRestoresWhatAModelCopiesThereAlone) {
  // One layer that looks five positions back: it copies blocks of six, and no others.
  const SmallModel model = band_circuit(5);
  const auto trained = circuit_probe(6, 6);
  const std::size_t own = patching_period(trained->profile().periods, model.program.architecture);
  EXPECT_EQ(own, 6U);
  model::CpuEngine engine(1);
  const auto restored = [&](std::size_t p) {
    const auto result =
        patching({model.program, model.parameters}, p, Corruption::answer, 8, engine);
    EXPECT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->length, 2 * p);
    return *result;
  };
  const Patching there = restored(own);
  EXPECT_GT(there.clean.lower() - there.corrupted.upper(), 5);
  EXPECT_NEAR(find(there, {0, 0}, Patched::v).by_position[there.changed].mean, 1, 1e-6);
  EXPECT_NEAR(find(there, {0, 0}, Patched::z).by_position[there.query].mean, 1, 1e-6);
  const Patching elsewhere = restored(24);  // half of its context
  EXPECT_LT(elsewhere.clean.mean - elsewhere.corrupted.mean, 0.1);
}

// --- what is measured, and how

TEST(Patching, CoversEveryHeadActivationAndPath) {
  const Patching result = patch(shaken_model(short_architecture()), Corruption::answer);
  EXPECT_EQ(result.heads.size(), 4U * 5);
  EXPECT_EQ(result.paths.size(), 2U * 3 * 3 + 5);
  EXPECT_TRUE(result.skipped.empty());
  EXPECT_EQ(result.sequences, 3U);
  for_each(result, [](const Estimate& restored) {
    EXPECT_TRUE(std::isfinite(restored.mean));
    EXPECT_EQ(restored.count, 3U);
  });
}

TEST(Patching, RunsInEveryWiring) {
  std::size_t number = 0;
  model::CpuEngine engine(1);
  for (const model::Architecture& a : all_wirings()) {
    if (number++ % 37 != 0) continue;
    const SmallModel model = shaken_model(a);
    const auto result =
        patching({model.program, model.parameters}, 2, Corruption::answer, 2, engine);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->length, 4U);
    EXPECT_EQ(result->heads.size(), all_heads(a).size() * (a.no_ov ? 4 : 5));
  }
}

TEST(Patching, HasTheSameBitsForAnyNumberOfThreads) {
  const SmallModel model = shaken_model(short_architecture());
  std::vector<double> one;
  for_each(patch(model, Corruption::match, 1), [&](const Estimate& e) { one.push_back(e.mean); });
  for (const std::size_t threads : {2U, 3U}) {
    std::vector<double> other;
    for_each(patch(model, Corruption::match, threads),
             [&](const Estimate& e) { other.push_back(e.mean); });
    EXPECT_EQ(other, one);
  }
}

std::size_t period_of(std::initializer_list<data::Offsets> trained, std::size_t context = 256) {
  model::Architecture a = short_architecture();
  a.context = context;
  return patching_period(trained, a);
}

TEST(Patching, UsesAPeriodThatTheModelWasTrainedOn) {
  EXPECT_EQ(period_of({{16, 48}}), 32U);  // the middle
  EXPECT_EQ(period_of({{4, 20}}, 64), 12U);
  EXPECT_EQ(period_of({{12, 12}}), 12U);
  EXPECT_EQ(period_of({{16, 100}}), 32U);          // what can be afforded
  EXPECT_EQ(period_of({{36, 48}}), 36U);           // but no period that is not trained on
  EXPECT_EQ(period_of({{128, 128}}), 128U);        // random-repeat
  EXPECT_EQ(period_of({{2, 3}, {21, 32}}), 21U);   // nearest to 17: 3 is 14 away, 21 only 4
  EXPECT_EQ(period_of({{2, 15}, {41, 60}}), 41U);  // nearest to 31
  EXPECT_EQ(period_of({{1, 1}}), 2U);              // a pair needs a token before the answer
  EXPECT_EQ(period_of({{16, 48}}, 20), 10U);       // what fits twice
}

TEST(Patching, SaysWhatItSkips) {
  const SmallModel model = shaken_model(short_architecture());
  const Patching result =
      patch(model, Corruption::answer, 1, {.whole_heads = 4, .position_heads = 3, .path_heads = 3});
  EXPECT_EQ(result.heads.size(), 4U * 5);
  EXPECT_TRUE(result.heads[0].by_position.empty());
  EXPECT_TRUE(result.paths.empty());
  EXPECT_EQ(result.skipped,
            (std::vector<std::string>{"heads by position: found 4 heads, allowed at most 3",
                                      "paths: found 4 heads, allowed at most 3"}));
  const Patching longer = patch(model, Corruption::answer, 1, {.positions = length - 1});
  EXPECT_TRUE(longer.heads[0].by_position.empty());
  EXPECT_EQ(
      longer.skipped,
      (std::vector<std::string>{"heads by position: found 12 positions, allowed at most 11"}));
}

TEST(Patching, RefusesWhatCannotBePatched) {
  model::Architecture a = short_architecture();
  a.context = 4;
  const SmallModel model = make_model(a);
  model::CpuEngine engine(1);
  const auto accepts = [&](std::span<const float> parameters, std::size_t p, std::size_t pairs) {
    return static_cast<bool>(
        patching({model.program, parameters}, p, Corruption::answer, pairs, engine));
  };
  EXPECT_TRUE(accepts(model.parameters, 2, 1));
  EXPECT_FALSE(accepts(model.parameters, 3, 1));  // six positions
  EXPECT_FALSE(accepts(model.parameters, 1, 1));
  EXPECT_FALSE(accepts(model.parameters, 2, 0));
  EXPECT_FALSE(accepts({}, 2, 1));
}

}  // namespace
}  // namespace lookback::lens
