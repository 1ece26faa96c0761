// Token by token the decoder computes what the executor computes of the whole sequence at once.
#include "lookback/model/decoder.h"

#include <gtest/gtest.h>

#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

template <class N>
std::vector<N> row_of(Matrix<const N> m, std::size_t r) {
  return {m.row(r), m.row(r) + m.cols};
}

template <class N>
std::vector<N> fed(Decoder<N>& decoder, const std::vector<N>& parameters,
                   std::span<const Token> tokens) {
  const std::span<const N> logits = decoder.feed(parameters, tokens);
  return {logits.begin(), logits.end()};
}

/// One sequence of each architecture, and the executor's logits of it.
template <class N>
struct Whole {
  explicit Whole(Case c)
      : ready((c.batch = 1, c)), parameters(as<N>(ready.parameters)), run(ready.run<N>()) {}

  std::vector<N> logits_at(std::size_t t) const {
    const std::size_t v = ready.program.architecture.vocabulary;
    return row_of<N>({run.logits.data(), ready.length, v, v}, t);
  }

  Ready ready;
  std::vector<N> parameters;
  Outcome<N> run;
};

TEST(Decoder, EveryTokenGivesTheExecutorsLogits) {
  for (const Case& c : cases(small_sizes)) {
    const Whole<double> whole(c);
    Decoder<double> decoder(whole.ready.program);
    for (std::size_t t = 0; t < c.length; ++t) {
      const std::span<const Token> token(&whole.ready.tokens[t], 1);
      EXPECT_LT(distance(fed(decoder, whole.parameters, token), whole.logits_at(t)), 1e-12)
          << c << "\nt " << t;
    }
  }
}

TEST(Decoder, FloatStaysWithinTheRoundingOfARun) {
  for (const Case& c : cases(odd_sizes)) {
    const Whole<float> whole(c);
    const double allowed = tolerance<float>(whole.ready).logits;
    Decoder<float> decoder(whole.ready.program);
    for (std::size_t t = 0; t < c.length; ++t) {
      const std::span<const Token> token(&whole.ready.tokens[t], 1);
      const Numbers logits = as<double>(fed(decoder, whole.parameters, token));
      EXPECT_LT(norm(difference(logits, as<double>(whole.logits_at(t)))), 2 * allowed)
          << c << "\nt " << t;
    }
  }
}

TEST(Decoder, APromptInBlocksIsThePromptTokenByToken) {
  for (const Case& c : cases(odd_sizes)) {
    const Whole<double> whole(c);
    Decoder<double> decoder(whole.ready.program);
    const std::span<const Token> tokens = whole.ready.tokens;
    for (std::size_t t = 0, size = 1; t < c.length; t += size++) {
      const std::size_t count = std::min(size, c.length - t);
      const Numbers logits = fed(decoder, whole.parameters, tokens.subspan(t, count));
      EXPECT_LT(distance(logits, whole.logits_at(t + count - 1)), 1e-11) << c << "\nt " << t;
    }
  }
}

TEST(Decoder, APromptLongerThanABlockIsCut) {
  Architecture a = two_layer(odd_sizes);
  a.context = 150;
  a.positions = Positions::rotary;
  a.smeared_keys = true;
  const Whole<double> whole(Case{"", a, 1, 150, {}});
  Decoder<double> decoder(whole.ready.program);
  const Numbers logits = fed<double>(decoder, whole.parameters, whole.ready.tokens);
  EXPECT_LT(distance(logits, whole.logits_at(149)), 1e-11);
  EXPECT_EQ(decoder.size(), 150);
  EXPECT_EQ(decoder.room(), 0);
}

TEST(Decoder, RewoundItGoesOnAsIfTheRestHadNeverBeen) {
  for (const Case& c : cases(small_sizes)) {
    const Whole<double> whole(c);
    const std::span<const Token> tokens = whole.ready.tokens;
    Decoder<double> decoder(whole.ready.program);
    const std::vector<Token> others = random_tokens(c.architecture.vocabulary, c.length, 2);
    decoder.feed(whole.parameters, tokens.first(2));
    decoder.feed(whole.parameters, std::span(others).subspan(2));
    decoder.rewind(2);
    EXPECT_EQ(decoder.size(), 2);
    const Numbers logits = fed(decoder, whole.parameters, tokens.subspan(2));
    EXPECT_LT(distance(logits, whole.logits_at(c.length - 1)), 1e-12) << c;
  }
}

TEST(DecoderDeathTest, IsFedOneTokenOfTheVocabularyOrMoreAndNoMoreThanFit) {
  const Whole<double> whole(cases(small_sizes).front());
  const Architecture& a = whole.ready.program.architecture;
  Decoder<double> decoder(whole.ready.program);
  const auto feed = [&](const std::vector<Token>& tokens) {
    decoder.feed(whole.parameters, tokens);
  };
  EXPECT_DEATH(feed({}), "requires !tokens.empty");
  EXPECT_DEATH(feed({static_cast<Token>(a.vocabulary)}), "requires .*vocabulary");
  EXPECT_DEATH(feed(std::vector<Token>(a.context + 1)), "requires .*room");
  EXPECT_DEATH(decoder.rewind(1), "requires size <= size_");
}

}  // namespace
}  // namespace lookback::model::spec
