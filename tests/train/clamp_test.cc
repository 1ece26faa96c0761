// Clamps as data: what a study says of them, and what makes no sense.
#include "lookback/train/clamp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/base/like.h"
#include "tests/train/small_run.h"

namespace lookback::train {
namespace {

constexpr std::uint64_t run_tokens = 40'000'000;

/// The clamps of a text of tables [clamp.NAME], or the one line that it is refused with.
Result<std::vector<Clamp>> read(const std::string& text) {
  Result<base::Document> document = base::parse_toml(text, "study.toml");
  if (!document) return document.error();
  base::TableReader reader(std::move(*document));
  std::vector<Clamp> clamps = read_clamps(reader.table("clamp"), run_tokens, 256);
  if (Status status = reader.finish(); !status) return status.error();
  return clamps;
}

std::string refusal(const std::string& text) {
  const Result<std::vector<Clamp>> clamps = read(text);
  return clamps ? "" : clamps.error().message;
}

constexpr const char* all_kinds = R"(
[clamp.look-back]
kind = "previous-token"
layer = 0
head = 0
tokens = [0, "2M"]
[clamp.match]
kind = "matching"
layer = 1
head = 0
tokens = ["1.5M", 3_000_000]
[clamp.copy]
kind = "copying"
layer = 1
head = 2
gain = 7.5
[clamp.values]
kind = "freeze"
activation = "blocks.0.attn.hook_v"
head = 1
to = "no-gradient"
[clamp.stream]
kind = "freeze"
activation = "blocks.1.hook_resid_pre"
to = "initial"
tokens = [0, 1]
)";

TEST(Clamp, ReadsEveryKind) {
  const Result<std::vector<Clamp>> clamps = read(all_kinds);
  ASSERT_TRUE(clamps) << clamps.error().message;
  const std::vector<Clamp> expected = {
      {"look-back", ClampKind::previous_token, 0, 0, "", FreezeTo::initial, 0, 0, 2'000'000},
      {"match", ClampKind::matching, 1, 0, "", FreezeTo::initial, 0, 1'500'000, 3'000'000},
      {"copy", ClampKind::copying, 1, 2, "", FreezeTo::initial, 7.5, 0, run_tokens},
      {"values", ClampKind::freeze, 0, 1, "blocks.0.attn.hook_v", FreezeTo::no_gradient, 0, 0,
       run_tokens},
      {"stream", ClampKind::freeze, 0, {}, "blocks.1.hook_resid_pre", FreezeTo::initial, 0, 0, 1}};
  EXPECT_EQ(*clamps, expected);
}

TEST(Clamp, ReadsBackWhatItWrote) {
  const Result<std::vector<Clamp>> clamps = read(all_kinds);
  ASSERT_TRUE(clamps) << clamps.error().message;
  const Result<std::vector<Clamp>> again = read(to_toml(*clamps));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, *clamps);
  EXPECT_EQ(to_toml(std::vector<Clamp>{}), "");
}

TEST(Clamp, TheDefaultGainLetsAPerfectHeadPredictWithAHundredthOfANat) {
  const Result<std::vector<Clamp>> clamps =
      read("[clamp.copy]\nkind = \"copying\"\nlayer = 0\nhead = 0\n");
  ASSERT_TRUE(clamps) << clamps.error().message;
  const double others = 255 * std::exp(-clamps->front().gain);
  EXPECT_NEAR(std::log1p(others), 0.01, 1e-15);
  EXPECT_NEAR(clamps->front().gain, 10.1, 0.05);
}

TEST(Clamp, HoldsFromItsFirstTokenToTheOneBeforeItsEnd) {
  Clamp clamp;
  clamp.first = 100;
  clamp.end = 200;
  EXPECT_FALSE(clamp.in_force(99));
  EXPECT_TRUE(clamp.in_force(100));
  EXPECT_TRUE(clamp.in_force(199));
  EXPECT_FALSE(clamp.in_force(200));
}

TEST(Clamp, AMistakeInATableGetsItsOneLine) {
  const auto head_of = [](const std::string& kind) {
    return "[clamp.a]\nkind = \"" + kind + "\"\n";
  };
  EXPECT_TRUE(test::like(refusal("[clamp.a]\nlayer = 0\n"),
                         "study.toml:1: key 'clamp.a.kind': is missing*\"previous-token\", "
                         "\"matching\", \"copying\", \"freeze\""));
  EXPECT_EQ(refusal(head_of("match")),
            "study.toml:2: key 'clamp.a.kind': found \"match\", allowed: one of "
            "\"previous-token\", \"matching\", \"copying\", \"freeze\"");
  EXPECT_TRUE(test::like(refusal(head_of("matching") + "head = 0\n"),
                         "study.toml:1: key 'clamp.a.layer': is missing*"));
  EXPECT_TRUE(test::like(refusal(head_of("matching") + "layer = 0\n"),
                         "study.toml:1: key 'clamp.a.head': is missing*"));
  EXPECT_EQ(
      refusal(head_of("matching") + "layer = 0\nhead = 0\ngain = 3\n"),
      "study.toml:5: key 'clamp.a.gain': found in a clamp of kind \"matching\", allowed: with "
      "\"copying\"");
  EXPECT_EQ(refusal(head_of("freeze") + "layer = 0\n"),
            "study.toml:3: key 'clamp.a.layer': found in a clamp of kind \"freeze\", allowed: with "
            "\"previous-token\", \"matching\" and \"copying\"");
  EXPECT_EQ(refusal(head_of("freeze") + "activation = \"hook_embed\"\nto = \"nothing\"\n"),
            "study.toml:4: key 'clamp.a.to': found \"nothing\", allowed: one of \"initial\", "
            "\"zero\", \"no-gradient\"");
  EXPECT_EQ(refusal(head_of("copying") + "layer = 0\nhead = 0\ntokens = [\"2M\", \"2M\"]\n"),
            "study.toml:5: key 'clamp.a.tokens': found [\"2M\", \"2M\"], allowed: [first, end], "
            "whole numbers from 0 to 1000000000000000 with first < end, such as [0, \"2M\"] (k, M, "
            "G)");
  EXPECT_EQ(refusal(head_of("copying") + "layer = 0\nhead = 0\ntoken = [0, 1]\n"),
            "study.toml:5: key 'clamp.a.token' is unknown; nearest: 'tokens'");
  EXPECT_EQ(refusal("clamp.a = 3\n"), "study.toml:1: key 'clamp.a': found 3, allowed: a table");
  EXPECT_TRUE(test::like(refusal("[clamp.\"a b\"]\nkind = \"copying\"\n"),
                         "study.toml:1: key 'clamp.a b': *letters, digits, - and _, at most 100"));
}

TEST(Clamp, MoreThanACircuitCouldNeedAreRefused) {
  std::string text;
  for (int i = 0; i < 257; ++i) {
    text += "[clamp.c" + std::to_string(i) + "]\nkind = \"copying\"\nlayer = 0\nhead = 0\n";
  }
  EXPECT_TRUE(test::like(refusal(text), "study.toml:1025: key 'clamp.c256': *256"));
}

// --- against a program: two layers of two heads

class ClampOfAModel : public testing::Test {
 protected:
  std::string refusal(const std::vector<Clamp>& clamps) const {
    const Status status = validate(clamps, program_, run_tokens);
    return status ? "" : status.error().message;
  }

  static Clamp pin(ClampKind kind, std::size_t layer, std::size_t head) {
    return {"a", kind, layer, head, "", FreezeTo::initial, 1, 0, run_tokens};
  }
  static Clamp frozen(const std::string& activation, FreezeTo to = FreezeTo::initial) {
    return {"b", ClampKind::freeze, 0, {}, activation, to, 0, 0, run_tokens};
  }

  model::Program program_ = [] {
    model::Architecture a = spec::small_architecture();
    a.heads = 2;
    return spec::compiled(a);
  }();
};

TEST_F(ClampOfAModel, PartsThatItDoesNotHaveAreRefused) {
  EXPECT_EQ(refusal({pin(ClampKind::matching, 2, 0)}),
            "clamp.a: layer is 2, but the model has 2 layers, counted from 0");
  EXPECT_TRUE(test::like(refusal({pin(ClampKind::matching, 1, 2)}), "clamp.a: head is 2*2 heads*"));
  EXPECT_EQ(refusal({frozen("blocks.0.attn.hook_patern")}),
            "clamp.b: no activation is named 'blocks.0.attn.hook_patern'; the nearest is "
            "'blocks.0.attn.hook_pattern'");
  EXPECT_EQ(refusal({frozen("two\nlines")}), "clamp.b: no activation is named 'two lines'");
  Clamp clamp = frozen("blocks.0.attn.hook_v");
  clamp.head = 2;
  EXPECT_TRUE(test::like(refusal({clamp}), "clamp.b: head is 2*2 heads*"));
  clamp = frozen("hook_embed");
  clamp.head = 0;
  EXPECT_TRUE(test::like(refusal({clamp}), "clamp.b: 'hook_embed' *"));
}

TEST_F(ClampOfAModel, WhatLeavesNothingToLearnOrNoNumberIsRefused) {
  EXPECT_EQ(refusal({frozen("logits", FreezeTo::no_gradient)}),
            "clamp.b: freezing 'logits' leaves nothing to learn: the loss is a function of them "
            "alone");
  EXPECT_EQ(refusal({frozen("blocks.0.ln1.hook_scale", FreezeTo::zero)}),
            "clamp.b: 'blocks.0.ln1.hook_scale' cannot be zero: a norm divides by it");
  EXPECT_EQ(refusal({frozen("blocks.0.ln1.hook_scale")}), "");
}

TEST_F(ClampOfAModel, OneThatIsNeverInForceIsRefused) {
  Clamp clamp = pin(ClampKind::copying, 1, 0);
  clamp.first = run_tokens;
  clamp.end = 2 * run_tokens;
  EXPECT_EQ(
      refusal({clamp}),
      "clamp.a: it begins at 40000000 tokens, but the run ends at 40000000: it would never be "
      "in force");
}

TEST_F(ClampOfAModel, TwoOnOneActivationAreRefusedWhileTheyOverlap) {
  Clamp look_back = pin(ClampKind::previous_token, 0, 1);
  Clamp pattern = frozen("blocks.0.attn.hook_pattern");
  const std::string both =
      "clamp.a and clamp.b both set blocks.0.attn.hook_pattern in the same steps*";
  EXPECT_TRUE(test::like(refusal({look_back, pattern}), both));
  pattern.head = 1;
  EXPECT_TRUE(test::like(refusal({look_back, pattern}), both));
  pattern.head = 0;
  EXPECT_EQ(refusal({look_back, pattern}), "");
  pattern.head = 1;
  look_back.end = pattern.first = 1000;
  EXPECT_EQ(refusal({look_back, pattern}), "");
}

TEST_F(ClampOfAModel, TwoNamesOfOneActivationAreOne) {
  EXPECT_TRUE(
      test::like(refusal({frozen("blocks.0.hook_resid_post"), frozen("blocks.1.hook_resid_pre")}),
                 "clamp.b and clamp.b both set blocks.1.hook_resid_pre in the same steps*"));
}

TEST_F(ClampOfAModel, ACopyReadsThePatternThatAnotherClampSets) {
  EXPECT_EQ(refusal({pin(ClampKind::copying, 1, 0), pin(ClampKind::matching, 1, 0)}), "");
  EXPECT_TRUE(test::like(refusal({pin(ClampKind::copying, 1, 0), frozen("blocks.1.attn.hook_z")}),
                         "clamp.a and clamp.b both set blocks.1.attn.hook_z in the same steps*"));
}

TEST_F(ClampOfAModel, SaysWhosePatternIsNotItsOwn) {
  EXPECT_TRUE(sets_pattern(pin(ClampKind::matching, 1, 0), 1, 0));
  EXPECT_FALSE(sets_pattern(pin(ClampKind::matching, 1, 0), 1, 1));
  EXPECT_FALSE(sets_pattern(pin(ClampKind::matching, 1, 0), 0, 0));
  EXPECT_FALSE(sets_pattern(pin(ClampKind::copying, 1, 0), 1, 0));
  EXPECT_TRUE(sets_pattern(frozen("blocks.1.attn.hook_attn_scores"), 1, 1));
  EXPECT_TRUE(sets_pattern(frozen("blocks.1.attn.hook_pattern", FreezeTo::zero), 1, 1));
  EXPECT_FALSE(sets_pattern(frozen("blocks.1.attn.hook_pattern", FreezeTo::no_gradient), 1, 1));
  EXPECT_FALSE(sets_pattern(frozen("blocks.1.attn.hook_v"), 1, 1));
}

}  // namespace
}  // namespace lookback::train
