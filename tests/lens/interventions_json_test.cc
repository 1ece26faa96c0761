#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

#include "lookback/lens/ablation_json.h"
#include "lookback/lens/mechanism_json.h"
#include "lookback/lens/patching_json.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

const Estimate third{1.0 / 3, 0.25, 4};
const json third_interval = {-0.4622782, 1.128945};  // 1/3 -+ 3.182446 x 0.25

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& item : object.items()) keys.insert(item.key());
  return keys;
}

TEST(AblationJson, ListsEveryKind) {
  Ablations result;
  result.sequences = 4;
  result.baseline = third;
  result.paths = {{{Component::Kind::head, 0, 0}, {1, 0}, Input::k, Replacement::mean, third}};
  result.logits = {{{Component::Kind::mlp, 1, 0}, Replacement::zero, third}};
  result.heads = {{{1, 2}, Replacement::resample, third}};
  result.patterns = {{std::nullopt, Replacement::mean, third}};
  result.values = {{HeadPlace{0, 1}, third, 2}};
  result.norms = {{std::nullopt, NormAblation::Change::removed, third},
                  {"ln_final", NormAblation::Change::frozen, third}};
  result.skipped = {"paths: too many"};
  const json share = {{"mean", 0.3333333}, {"standard_error", 0.25}, {"interval", third_interval}};
  EXPECT_EQ(
      ablation_json(result),
      (json{
          {"sequences", 4},
          {"baseline", share},
          {"paths", json::array({{{"from", "head 0.0"},
                                  {"to", {{"layer", 1}, {"head", 0}}},
                                  {"input", "k"},
                                  {"replacement", "mean"},
                                  {"rise", share}}})},
          {"logits", json::array({{{"from", "mlp 1"}, {"replacement", "zero"}, {"rise", share}}})},
          {"heads", json::array({{{"head", {{"layer", 1}, {"head", 2}}},
                                  {"replacement", "resample"},
                                  {"rise", share}}})},
          {"patterns",
           json::array({{{"head", nullptr}, {"replacement", "mean"}, {"rise", share}}})},
          {"values", json::array({{{"head", {{"layer", 0}, {"head", 1}}},
                                   {"rise", share},
                                   {"perplexity_ratio", 2.0}}})},
          {"norms", json::array({{{"norm", nullptr}, {"change", "removed"}, {"rise", share}},
                                 {{"norm", "ln_final"}, {"change", "frozen"}, {"rise", share}}})},
          {"skipped", json::array({"paths: too many"})}}));
}

TEST(PatchingJson, HoldsTheGridAndThePaths) {
  Patching result;
  result.corruption = Corruption::match;
  result.clean = third;
  result.corrupted = {std::numeric_limits<double>::quiet_NaN(), 0, 1};
  result.heads = {{{0, 1}, Patched::pattern, third, {third, third}}};
  result.paths = {{{Component::Kind::token, 0, 0}, std::nullopt, Input::q, third},
                  {{Component::Kind::base, 0, 0}, HeadPlace{0, 1}, Input::v, third}};
  const json object = patching_json(result);
  EXPECT_EQ(keys_of(object),
            (std::set<std::string>{"corruption", "sequences", "length", "changed", "query", "clean",
                                   "corrupted", "heads", "paths", "skipped"}));
  EXPECT_EQ(object["corruption"], "match");
  EXPECT_TRUE(object["corrupted"]["mean"].is_null());
  EXPECT_EQ(object["heads"][0]["activation"], "pattern");
  EXPECT_EQ(object["heads"][0]["by_position"], json({0.3333333, 0.3333333}));
  EXPECT_EQ(object["heads"][0]["standard_errors"], json({0.25, 0.25}));
  EXPECT_EQ(object["heads"][0]["intervals"], json({third_interval, third_interval}));
  EXPECT_EQ(object["corrupted"]["interval"], json({nullptr, nullptr}));
  EXPECT_EQ(object["heads"][0]["whole"]["mean"], 0.3333333);
  EXPECT_TRUE(object["paths"][0]["to"].is_null() && object["paths"][0]["input"].is_null());
  EXPECT_EQ(object["paths"][1]["from"], "base 0");
  EXPECT_EQ(object["paths"][1]["input"], "v");
}

TEST(MechanismJson, HoldsTheFiguresOfTheVerdict) {
  MechanismResult result;
  result.verdict = Mechanism::k_composition;
  result.reason = "because";
  result.learned = true;
  result.head = HeadPlace{1, 0};
  result.earlier = {{{0, 0}, third, third, third, third, third, third}};
  result.partner = result.earlier[0];
  const json object = mechanism_json(result);
  EXPECT_EQ(keys_of(object),
            (std::set<std::string>{"verdict", "reason", "sequences", "loss", "chance", "head",
                                   "scores", "direct_cost", "cost", "stake", "band", "matching",
                                   "unsmeared", "earlier", "partner"}));
  EXPECT_EQ(object["verdict"], "k-composition");
  EXPECT_EQ(object["partner"], (json{{"layer", 0}, {"head", 0}}));
  EXPECT_EQ(object["earlier"][0]["k_removed"]["mean"], 0.3333333);
  EXPECT_TRUE(object["unsmeared"].is_null());
  EXPECT_EQ(object["scores"].size(), head_measures().size());
}

TEST(MechanismJson, OfAModelThatHasLearnedNothingHasNoFiguresOfAHead) {
  const json object = mechanism_json({});
  EXPECT_EQ(keys_of(object), (std::set<std::string>{"verdict", "reason", "sequences", "loss",
                                                    "chance", "head", "partner"}));
  EXPECT_EQ(object["verdict"], "none");
}

}  // namespace
}  // namespace lookback::lens
