#include "lookback/lens/patching.h"

#include <gtest/gtest.h>

#include <cmath>

#include "lookback/lens/runner.h"
#include "tests/lens/all_wirings.h"

namespace lookback::lens {
namespace {

constexpr std::size_t length = 12;

model::Architecture short_architecture() {
  model::Architecture a = small_architecture();
  a.context = length;
  return a;
}

Patching patch(const SmallModel& model, Corruption corruption, std::size_t threads = 1,
               const PatchingLimits& limits = {}) {
  base::Workers workers(threads);
  Result<Patching> result =
      patching({model.program, model.parameters}, corruption, 3, workers, limits);
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
    const auto pair = corrupted_pair(16, length, Corruption::answer, index);
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
  const auto pair = corrupted_pair(16, length, Corruption::match, 7);
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->changed, 4U);
  EXPECT_NE(pair->corrupted[4], pair->corrupted[pair->query]);
  EXPECT_EQ(pair->corrupted[5], pair->right);
}

TEST(CorruptedPair, DrawsEveryOtherToken) {
  std::vector<std::size_t> seen(3);
  for (std::uint64_t index = 0; index < 90; ++index) {
    const auto pair = corrupted_pair(3, 4, Corruption::answer, index);
    ASSERT_TRUE(pair);
    ++seen[(pair->corrupted[1] + 3 - pair->clean[1]) % 3];
  }
  EXPECT_EQ(seen[0], 0U);
  EXPECT_GT(seen[1], 20U);  // 45 expected, standard deviation 4.7
  EXPECT_GT(seen[2], 20U);
}

TEST(CorruptedPair, RefusesWhatHoldsNoQuery) {
  const auto message = [](std::size_t vocabulary, std::size_t tokens) {
    const auto pair = corrupted_pair(vocabulary, tokens, Corruption::answer, 0);
    return pair ? "accepted" : pair.error().message;
  };
  EXPECT_EQ(message(16, 2), "found a length of 2 to patch, allowed at least 4");
  EXPECT_NE(message(16, 5), "accepted");
  EXPECT_NE(message(1, 4), "accepted");
}

// --- known answers

TEST(Patching, OfTheWholeLastStreamRestoresExactlyEverything) {
  const SmallModel small = shaken_model(short_architecture());
  const auto pair = corrupted_pair(16, length, Corruption::match, 0);
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
  base::Workers workers(1);
  for (const model::Architecture& a : all_wirings()) {
    if (number++ % 37 != 0) continue;
    const SmallModel model = shaken_model(a);
    const auto result = patching({model.program, model.parameters}, Corruption::answer, 2, workers);
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

TEST(Patching, UsesTheContextUpTo64Positions) {
  model::Architecture a = short_architecture();
  for (const auto& [context, expected] :
       {std::pair{12U, 12U}, std::pair{13U, 12U}, std::pair{256U, 64U}, std::pair{3U, 2U}}) {
    a.context = context;
    EXPECT_EQ(patching_length(a), expected);
  }
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
}

TEST(Patching, RefusesWhatCannotBePatched) {
  model::Architecture a = short_architecture();
  a.context = 3;
  const SmallModel model = make_model(a);
  base::Workers workers(1);
  const auto short_context =
      patching({model.program, model.parameters}, Corruption::answer, 1, workers);
  ASSERT_FALSE(short_context);
  EXPECT_EQ(short_context.error().message, "found a length of 2 to patch, allowed at least 4");
  EXPECT_FALSE(patching({model.program, model.parameters}, Corruption::answer, 0, workers));
  EXPECT_FALSE(patching({model.program, {}}, Corruption::answer, 1, workers));
}

}  // namespace
}  // namespace lookback::lens
