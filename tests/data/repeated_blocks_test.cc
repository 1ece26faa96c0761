#include "lookback/data/repeated_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/base/chi_square.h"
#include "tests/data/block_sources.h"

namespace lookback::data {
namespace {

using test::chi_square;
using test::chi_square_limit;

TEST(BlockKinds, HaveNames) {
  const std::vector<std::string> names{"repeated-blocks", "unseen-period", "broken-period",
                                       "random-repeat"};
  EXPECT_EQ(block_probes(), names);
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(name_of(all_kinds[i]), names[i]);
}

class EveryKind : public testing::TestWithParam<BlockKind> {};

INSTANTIATE_TEST_SUITE_P(Blocks, EveryKind, testing::ValuesIn(all_kinds), [](const auto& kind) {
  std::string name = name_of(kind.param);
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(EveryKind, ASequenceIsAPureFunctionOfSeedAndIndex) {
  const auto first = made(GetParam());
  const auto second = made(GetParam());
  const auto early = first->sequence(7);
  for (std::uint64_t index = 0; index < 20; ++index) first->sequence(index);
  EXPECT_EQ(first->sequence(7), early);
  EXPECT_EQ(second->sequence(7), early);
  EXPECT_EQ(second->blocks(7).starts, first->blocks(7).starts);
}

TEST_P(EveryKind, ThreadsDrawTheSameSequences) {
  const auto source = made(GetParam());
  std::vector<std::vector<Token>> parallel(64);
  {
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < 4; ++worker) {
      threads.emplace_back([&, worker] {
        for (std::size_t i = worker; i < parallel.size(); i += 4) parallel[i] = source->sequence(i);
      });
    }
  }
  for (std::size_t i = 0; i < parallel.size(); ++i) EXPECT_EQ(parallel[i], source->sequence(i));
}

// Two equal sequences agree in at least 8 tokens of 256 kinds: 256^-8 for each of 10^6 pairs, below
// 1e-12 for all of them.
TEST_P(EveryKind, SequencesOfDifferentSeedsPurposesAndIndicesDiffer) {
  std::set<std::vector<Token>> seen;
  std::size_t drawn = 0;
  for (const auto purpose :
       {base::StreamPurpose::training_data, base::StreamPurpose::held_out_data}) {
    for (const std::uint64_t seed : {0u, 1u}) {
      BlockTask task;
      task.kind = GetParam();
      task.seed = seed;
      task.purpose = purpose;
      const auto source = made(task);
      for (std::uint64_t i = 0; i < 250; ++i, ++drawn) seen.insert(source->sequence(i));
    }
  }
  EXPECT_EQ(seen.size(), drawn);
}

TEST_P(EveryKind, TokensAreBelowTheVocabulary) {
  BlockTask task;
  task.kind = GetParam();
  task.vocabulary = 3;
  const auto source = made(task);
  std::set<Token> seen;
  for (std::uint64_t i = 0; i < 20; ++i) {
    for (const Token token : source->sequence(i)) seen.insert(token);
  }
  EXPECT_EQ(seen, (std::set<Token>{0, 1, 2}));
  EXPECT_EQ(source->vocabulary(), 3u);
  EXPECT_EQ(source->length(), 256u);
}

TEST_P(EveryKind, TokensOfTheFirstCopyAreUniform) {
  BlockTask task;
  task.kind = GetParam();
  task.vocabulary = 16;
  const auto source = made(task);
  std::vector<std::size_t> counts(16);
  std::size_t total = 0;
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    const std::size_t period = source->blocks(i).period;
    for (std::size_t t = 0; t < period; ++t, ++total) ++counts[tokens[t]];
  }
  EXPECT_LT(chi_square(counts, static_cast<double>(total) / 16.0), chi_square_limit(15));
}

TEST_P(EveryKind, EachCopyRepeatsTheFirst) {
  const auto source = made(GetParam());
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    const BlockStructure structure = source->blocks(i);
    ASSERT_EQ(structure.length, tokens.size());
    ASSERT_EQ(structure.starts.at(0), 0u);
    ASSERT_LE(structure.period, tokens.size());
    for (const std::size_t start : structure.starts) {
      ASSERT_LT(start, tokens.size());
      for (std::size_t k = 0; k < structure.period && start + k < tokens.size(); ++k) {
        ASSERT_EQ(tokens[start + k], tokens[k]) << "sequence " << i << ", copy at " << start;
      }
    }
  }
}

TEST_P(EveryKind, ThereAreTwoWholeCopies) {
  const auto source = made(GetParam());
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const BlockStructure structure = source->blocks(i);
    ASSERT_GE(structure.starts.size(), 2u);
    EXPECT_LE(structure.starts[1] + structure.period, structure.length);
  }
}

TEST_P(EveryKind, OccurrenceIsTheNumberOfTheCopy) {
  const auto source = made(GetParam());
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const BlockStructure structure = source->blocks(i);
    std::vector<std::optional<std::size_t>> expected(structure.length);
    for (std::size_t copy = 0; copy < structure.starts.size(); ++copy) {
      for (std::size_t k = 0; k < structure.period; ++k) {
        const std::size_t t = structure.starts[copy] + k;
        if (t < structure.length) expected[t] = copy;
      }
    }
    for (std::size_t t = 0; t < structure.length; ++t) {
      ASSERT_EQ(structure.occurrence(t), expected[t]) << "sequence " << i << ", position " << t;
    }
  }
}

// The definition of induction, checked on the tokens themselves: looking back from t for the token
// x_t, its successor is the token that comes next.
TEST_P(EveryKind, TheAnswerFollowsAnEarlierOccurrenceOfTheSameToken) {
  const auto source = made(GetParam());
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const auto tokens = source->sequence(i);
    const BlockStructure structure = source->blocks(i);
    const Structure plain = source->structure(i);
    ASSERT_EQ(plain.length(), tokens.size());
    EXPECT_EQ(plain.opening, structure.period);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      ASSERT_EQ(plain.occurrence[t], structure.occurrence(t));
      const std::optional<std::size_t> answer = structure.answer(t);
      ASSERT_EQ(plain.is_answered(t), answer.has_value());
      if (!answer) continue;
      const std::size_t s = *answer;
      ASSERT_EQ(std::vector<Position>(1, static_cast<Position>(s)),
                std::vector<Position>(plain.answers(t).begin(), plain.answers(t).end()));
      ASSERT_GE(s, 1u);
      ASSERT_LE(s, t);
      ASSERT_LT(t + 1, tokens.size());
      ASSERT_EQ(tokens[s - 1], tokens[t]);
      ASSERT_EQ(tokens[s], tokens[t + 1]);
      // One copy earlier: exactly so many copies back as the definition says.
      ASSERT_EQ(*structure.occurrence(s - 1) + 1, *structure.occurrence(t));
    }
  }
}

// No answer is withheld: wherever t and t + 1 lie in the same later copy there is one.
TEST_P(EveryKind, EveryPositionInsideALaterCopyHasAnAnswer) {
  const auto source = made(GetParam());
  for (std::uint64_t i = 0; i < some_sequences; ++i) {
    const BlockStructure structure = source->blocks(i);
    for (std::size_t t = 0; t + 1 < structure.length; ++t) {
      const auto here = structure.occurrence(t);
      const bool inside = here && *here > 0 && structure.occurrence(t + 1) == here;
      if (inside) {
        ASSERT_TRUE(structure.answer(t)) << t;
      }
      if (!here || *here == 0) {
        ASSERT_FALSE(structure.answer(t)) << t;
      }
    }
    EXPECT_FALSE(structure.answer(structure.length - 1));
    EXPECT_FALSE(structure.answer(structure.length));
  }
}

}  // namespace
}  // namespace lookback::data
