// The model computes what its formulas say: logits and losses in double against textbook.h.
// Both sides round: tolerances are those of running.h.
#include <gtest/gtest.h>

#include "tests/model/running.h"
#include "tests/model/textbook.h"

namespace lookback::model::spec {
namespace {

Numbers flat(const Rows& rows) {
  Numbers numbers;
  for (const Row& row : rows) numbers.insert(numbers.end(), row.begin(), row.end());
  return numbers;
}

std::span<const Token> sequence(const Ready& ready, std::size_t b) {
  return std::span(ready.tokens).subspan(b * ready.length, ready.length);
}

void expect_logits(const Ready& ready, const Numbers& expected) {
  EXPECT_LE(distance(ready.run().logits, expected), tolerance<double>(ready).logits);
}

class Formulas : public ::testing::TestWithParam<Case> {};

TEST_P(Formulas, GiveTheLogits) {
  const Ready ready(GetParam());
  const Textbook textbook(ready.program, ready.parameters);
  Numbers expected;
  for (std::size_t b = 0; b < ready.batch; ++b) {
    const Numbers one = flat(textbook.logits(sequence(ready, b)));
    expected.insert(expected.end(), one.begin(), one.end());
  }
  expect_logits(ready, expected);
}

TEST_P(Formulas, GiveTheLossOfEveryPredictionInNats) {
  const Ready ready(GetParam());
  const Textbook textbook(ready.program, ready.parameters);
  Numbers expected;
  for (std::size_t b = 0; b < ready.batch; ++b) {
    const std::span<const Token> tokens = sequence(ready, b);
    const Rows logits = textbook.logits(tokens);
    for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
      double total = 0;
      for (const double logit : logits[t]) total += std::exp(logit);
      expected.push_back(-std::log(std::exp(logits[t][tokens[t + 1]]) / total));
    }
  }
  Executor<double> executor(ready.program, ready.batch, ready.length);
  executor.forward(ready.parameters, ready.tokens);
  const std::span<const double> losses = executor.losses();
  // A loss moves at most by twice the largest move of its logits.
  const double allowed = 2 * tolerance<double>(ready).logits;
  EXPECT_LE(distance({losses.begin(), losses.end()}, expected), allowed);
  EXPECT_LE(distance(ready.run().losses, expected), allowed) << "the losses of backward()";
}

INSTANTIATE_TEST_SUITE_P(Model, Formulas, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

// The article's three setups, written out as science.md writes them.

constexpr NormKind layernorm = NormKind::layernorm;

struct WrittenOut {
  explicit WrittenOut(const Architecture& a)
      : ready(a, 1),
        book(ready.program, ready.parameters),
        x0(sum(book.token_embedding(ready.tokens), book.position_embedding(ready.length))) {}

  void expect_output(const Rows& x2) const {
    expect_logits(ready, flat(book.unembed(book.norm(layernorm, "ln_final", x2))));
  }

  Ready ready;
  Textbook book;
  Rows x0;
};

TEST(TheThreeSetups, TwoLayerReadsThroughANormOfItsOwn) {
  const WrittenOut s(two_layer(small_sizes));
  const Rows x1 =
      sum(s.x0, s.book.attention("blocks.0.attn", s.book.norm(layernorm, "blocks.0.ln1", s.x0)));
  const Rows x2 =
      sum(x1, s.book.attention("blocks.1.attn", s.book.norm(layernorm, "blocks.1.ln1", x1)));
  s.expect_output(x2);
}

TEST(TheThreeSetups, ParallelHeadsReadTheSameAndAreSummed) {
  const WrittenOut s(parallel(small_sizes));
  const Rows n = s.book.norm(layernorm, "blocks.0.ln1", s.x0);
  // A_0(n) + A_1(n): the rows of W_O below the first head's are the second head's.
  s.expect_output(sum(s.x0, s.book.attention("blocks.0.attn", n)));
}

TEST(TheThreeSetups, SequentialHeadReadsTheNormedInputPlusTheFirstHeadsOutputWithoutANorm) {
  const WrittenOut s(sequential(small_sizes));
  const Rows n = s.book.norm(layernorm, "blocks.0.ln1", s.x0);
  const Rows a = s.book.attention("blocks.0.steps.0.attn", n);
  const Rows b = s.book.attention("blocks.0.steps.1.attn", sum(n, a));
  s.expect_output(sum(sum(s.x0, a), b));
}

}  // namespace
}  // namespace lookback::model::spec
