// Sizes of a study: what is laid over what, and that every shipped study is sound at each of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "lookback/study/quantities.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::parsed;
using spec::small_study;

/// The small study in which `parallel` has sizes of its own; the last arm has batches of its own.
std::string sized() {
  std::string text = spec::changed("heads = 2\n",
                                   "heads = 2\n"
                                   "[arm.sizes.large.model]\nheads = 3\n"
                                   "[arm.sizes.large.data]\nperiod = [5, 6]\n");
  text += R"([arm.train]
batch = 4
[sizes.large]
seeds = 4
[sizes.large.model]
vocabulary = 64
[sizes.large.data]
period = [4, 9]
[sizes.large.train]
tokens = "1M"
batch = 16
[sizes.tiny]
seeds = 2
[sizes.tiny.train]
tokens = 512
)";
  return text;
}

Study at(const std::string& size, const Overrides& given = {}) {
  Overrides overrides = given;
  overrides.size = size;
  return parsed(sized(), overrides);
}

std::string size_refusal(const std::string& text, const std::string& size) {
  Overrides overrides;
  if (!size.empty()) overrides.size = size;
  const Result<Study> study = parse_study(text, "small.toml", overrides);
  return study ? "" : study.error().message;
}

TEST(StudySizes, WithoutOneTheStudyIsAsItStands) {
  const Study plain = parsed(small_study), study = parsed(sized());
  EXPECT_EQ(study.seeds, 1U);
  EXPECT_EQ(study.arms[0], plain.arms[0]);
  EXPECT_EQ(study.arms[1], plain.arms[1]);
}

TEST(StudySizes, AreLaidOverTheStudy) {
  const Study study = at("large");
  EXPECT_EQ(study.seeds, 4U);
  const RunConfig& two_layer = study.arms[0];
  EXPECT_EQ(two_layer.architecture.vocabulary, 64U);
  EXPECT_EQ(two_layer.architecture.context, 32U);  // what the size does not name stays
  EXPECT_EQ(two_layer.architecture.layers, 2U);
  EXPECT_EQ(two_layer.data.max_period, 9U);
  EXPECT_EQ(two_layer.train.tokens, 1'000'000U);
  EXPECT_EQ(two_layer.train.batch, 16U);
  EXPECT_EQ(two_layer.train.learning_rate, 3e-3);
  EXPECT_EQ(at("tiny").seeds, 2U);
  EXPECT_EQ(at("tiny").arms[0].train.tokens, 512U);
  EXPECT_EQ(at("tiny").arms[0].architecture.vocabulary, 16U);
}

TEST(StudySizes, AnArmsOwnValuesHoldOverTheStudysAndItsOwnSizesOverThose) {
  const Study study = at("large");
  EXPECT_EQ(study.arms[2].train.batch, 4U);  // [arm.train]
  EXPECT_EQ(study.arms[1].architecture.heads, 3U);
  EXPECT_EQ(study.arms[1].architecture.vocabulary, 64U);
  EXPECT_EQ(study.arms[1].data.min_period, 5U);
  EXPECT_EQ(study.arms[1].data.max_period, 6U);
  EXPECT_EQ(at("tiny").arms[1].architecture.heads, 2U);
}

TEST(StudySizes, TheCommandLinesTokensAndSeedsHoldOverThem) {
  const Study study = at("large", {.tokens = 2048, .seeds = 7});
  EXPECT_EQ(study.seeds, 7U);
  for (const RunConfig& arm : study.arms) EXPECT_EQ(arm.train.tokens, 2048U) << arm.arm;
  EXPECT_EQ(study.arms[0].architecture.vocabulary, 64U);
}

TEST(StudySizes, TheTextOfAStudyAtASizeIsThatStudyWithoutTheOption) {
  for (const char* size : {"large", "tiny"}) {
    const Study study = at(size), again = parsed(study.text);
    EXPECT_EQ(again.seeds, study.seeds) << size;
    EXPECT_EQ(again.arms, study.arms) << size;
    EXPECT_EQ(again.text, study.text) << size;
  }
}

TEST(StudySizes, ThatAreNotThereAreRefusedWithThoseThatAre) {
  EXPECT_EQ(size_refusal(sized(), "larg"),
            "small.toml: --size: found 'larg', allowed: default, large, tiny");
  EXPECT_EQ(size_refusal(sized(), "a\nb"),
            "small.toml: --size: found 'a b', allowed: default, large, tiny");
  EXPECT_EQ(size_refusal(small_study, "large"),
            "small.toml: --size: found 'large', allowed: default");
  const std::string strange = std::string(small_study) + "[sizes.\"a\\nb\"]\nseeds = 2\n";
  EXPECT_EQ(size_refusal(strange, "large"),
            "small.toml: --size: found 'large', allowed: default, a b");
  EXPECT_EQ(size_refusal("sizes = {large = 3}\n" + std::string(small_study), "large"),
            "small.toml: --size: found 'large', allowed: default");
}

/// A mistake at the end of the small study: in its last arm, and then in its sizes.
struct BadSize {
  const char* name;
  std::string text;
  std::string line;
};

class StudySizesMistake : public testing::TestWithParam<BadSize> {};

TEST_P(StudySizesMistake, IsFoundWithoutAndWithItsSize) {
  for (const char* size : {"", "large"}) {
    EXPECT_EQ(size_refusal(small_study + GetParam().text, size), "small.toml:" + GetParam().line)
        << size;
  }
}

const BadSize bad_sizes[] = {
    {"UnknownKey", "[sizes.large]\nseed = 3\n",
     "35: key 'sizes.large.seed' is unknown; nearest: 'seeds'"},
    {"UnknownTable", "[sizes.large.modle]\nvocabulary = 3\n",
     "34: key 'sizes.large.modle' is unknown; nearest: 'model'"},
    {"UnknownKeyOfATable", "[sizes.large.model]\nvocabluary = 64\n",
     "35: key 'model.vocabluary' is unknown; nearest: 'vocabulary'"},
    {"WrongKind", "[sizes.large.train]\ntokens = 1.5\n",
     "35: key 'train.tokens': found 1.5, allowed: a whole number from 1 to 1000000000000000, such "
     "as 40_000_000 or \"40M\" (k, M, G)"},
    {"ArmsOfASize", "[[sizes.large.arm]]\nname = \"four-layer\"\n",
     "34: key 'sizes.large.arm' is unknown; it belongs at the top of the file"},
    {"UnknownKeyOfAnArmsSize", "[arm.sizes.large.model]\nhead = 3\n[sizes.large]\nseeds = 2\n",
     "35: key 'model.head' is unknown; nearest: 'heads'"},
    {"SeedsOfAnArm", "[arm.sizes.large]\nseeds = 3\n[sizes.large]\nseeds = 2\n",
     "35: key 'arm[2].sizes.large.seeds' is unknown; it belongs at the top of the file or in "
     "[sizes.large]"},
    {"ASizeOfAClaimThatTheStudyLacks",
     "[[claim]]\nname = \"a\"\nsays = \"A.\"\n[claim.sizes.larg]\nneeds_tokens = 5\n"
     "[[claim.test]]\nfinding = \"induction_score\"\narm = \"parallel\"\nabove = 0.5\n"
     "[sizes.large]\nseeds = 2\n",
     "37: key 'claim[0].sizes.larg': found no such size of the study, allowed: \"large\""},
    {"AnotherClaimAtASize",
     "[[claim]]\nname = \"a\"\nsays = \"A.\"\n[claim.sizes.large]\nsays = \"B.\"\n"
     "[[claim.test]]\nfinding = \"induction_score\"\narm = \"parallel\"\nabove = 0.5\n"
     "[sizes.large]\nseeds = 2\n",
     "38: key 'claim[0].sizes.large.says' is unknown; it belongs in [[claim]]"},
    {"ASizeOfAnArmThatTheStudyLacks",
     "[arm.sizes.larg.model]\nheads = 3\n[sizes.large]\nseeds = 2\n",
     "34: key 'arm[2].sizes.larg': found no such size of the study, allowed: \"large\""},
};

INSTANTIATE_TEST_SUITE_P(Each, StudySizesMistake, testing::ValuesIn(bad_sizes),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(StudySizes, ThatDoNotGoTogetherAreFoundWhereTheyAreAskedFor) {
  const std::string text = std::string(small_study) + "[sizes.large.model]\ncontext = 8\n";
  EXPECT_EQ(size_refusal(text, ""),
            "");  // a value may be meant for another size laid over this one
  EXPECT_EQ(
      size_refusal(text, "large"),
      "small.toml:23: arm 'two-layer': repeated-blocks: found a length of 8, allowed at least "
      "16: two copies of the longest block, 8");
}

TEST(StudySizes, DefaultIsTheStudyAsItStands) {
  const Study plain = parsed(sized()), study = at("default");
  EXPECT_EQ(study.seeds, plain.seeds);
  EXPECT_EQ(study.arms, plain.arms);
}

TEST(StudySizes, HaveOtherNamesThanDefault) {
  const std::string why =
      size_refusal(small_study + std::string("[sizes.default]\nseeds = 2\n"), "");
  EXPECT_EQ(why.rfind("small.toml:34: key 'sizes.default': found this name", 0), 0U) << why;
}

TEST(StudySizes, AreListedWithTheStudyAsItStandsFirst) {
  EXPECT_EQ(parsed(sized()).sizes, (std::vector<std::string>{"default", "large", "tiny"}));
  EXPECT_EQ(parsed(small_study).sizes, std::vector<std::string>{"default"});
}

TEST(StudySizes, LayWhatAClaimNeedsOverIt) {
  const std::string text = sized() + R"([[claim]]
name = "forms"
says = "It forms."
needs_tokens = "20M"
[claim.sizes.tiny]
needs_tokens = 500
[[claim.test]]
finding = "transition_tokens"
arm = "parallel"
present = true
)";
  const std::pair<const char*, std::uint64_t> needed[] = {
      {"default", 20'000'000}, {"large", 20'000'000}, {"tiny", 500}};
  for (const auto& [size, tokens] : needed) {
    Overrides overrides;
    overrides.size = size;
    const Study study = parsed(text, overrides);
    ASSERT_EQ(study.claims.size(), 1U);
    EXPECT_EQ(study.claims[0].needs_tokens, tokens) << size;
    EXPECT_EQ(study.claims[0].tests.size(), 1U);
  }
}

TEST(StudySizes, HaveOneSeedAtLeast) {
  const std::string text = std::string(small_study) + "[sizes.large]\nseeds = 0\n";
  const std::string allowed =
      "': found 0, allowed: a whole number from 1 to 100000, such as 40_000_000 or \"40M\" (k, M, "
      "G)";
  EXPECT_EQ(size_refusal(text, ""), "small.toml:35: key 'sizes.large.seeds" + allowed);
  EXPECT_EQ(size_refusal(text, "large"), "small.toml:35: key 'seeds" + allowed);
}

TEST(StudySizes, AreFew) {
  std::string text = small_study;
  for (int i = 0; i < 17; ++i) text += "[sizes.s" + std::to_string(i) + "]\nseeds = 2\n";
  const std::string why = size_refusal(text, "");
  EXPECT_NE(why.find("key 'sizes': found 17, allowed: at most 16"), std::string::npos) << why;
}

// --- the shipped studies

std::vector<std::filesystem::path> shipped_studies() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(LOOKBACK_SOURCE_DIR "/studies")) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

Study shipped(const std::filesystem::path& file, const Overrides& overrides) {
  Result<Study> study = read_study(file.string(), overrides);
  if (study) return std::move(*study);
  ADD_FAILURE() << study.error().message;
  return {};
}

/// With claims and with the article's own size.
std::set<std::string> studies_of_claims() {
  return {"article", "composition", "data", "layernorm", "no-ov", "positions"};
}

TEST(ShippedStudies, AreReadWithTheirClaims) {
  std::set<std::string> names;
  for (const std::filesystem::path& file : shipped_studies()) {
    const Study study = shipped(file, {});
    EXPECT_EQ(study.name, file.stem().string());
    EXPECT_FALSE(study.question.empty()) << file;
    if (!study.claims.empty()) names.insert(study.name);
    for (const Claim& claim : study.claims) {
      // A claim that no run of the study's own size is long enough for is never decided by it.
      if (study.name == "article") continue;
      EXPECT_LE(claim.needs_tokens, study.arms.front().train.tokens) << study.name << claim.name;
    }
  }
  EXPECT_EQ(names.erase("emergence-time"), 1U);  // a law of another article
  // Language models, whose article's size is a study of its own: language-gpt2.
  EXPECT_EQ(names.erase("language-small") + names.erase("language-copying"), 2U);
  EXPECT_EQ(names, studies_of_claims());
}

/// The article's question in a few minutes: every claim that a miniature can decide is asked of it.
TEST(ShippedStudies, TheArticlesDecidesItsQuestionInMiniature) {
  Overrides miniature;
  miniature.size = "miniature";
  const Study study = shipped(LOOKBACK_SOURCE_DIR "/studies/article.toml", miniature);
  ASSERT_EQ(study.arms.size(), 3U);
  EXPECT_EQ(study.seeds, 3U);
  const std::uint64_t tokens = study.arms.front().train.tokens;
  for (const RunConfig& arm : study.arms) {
    EXPECT_EQ(arm.train.tokens, tokens);
    EXPECT_EQ(arm.architecture.vocabulary, 64U);
    EXPECT_EQ(arm.data.length, 64U);
  }
  std::set<std::string> asked;
  for (const Claim& claim : study.claims) {
    if (claim.needs_tokens <= tokens) asked.insert(claim.name);
  }
  for (const char* claim :
       {"two-layer-forms", "parallel-never", "sequential-forms", "sequential-earlier"}) {
    EXPECT_TRUE(asked.contains(claim)) << claim;
  }
  for (const char* claim : {"two-layer-at-10M", "parallel-near-chance", "parallel-loss-stuck",
                            "second-transition", "sequential-ripples"}) {
    EXPECT_FALSE(asked.contains(claim)) << claim;
  }
}

TEST(ShippedStudies, AreTheArticlesAtItsSize) {
  for (const std::string& name : studies_of_claims()) {
    const std::filesystem::path file =
        std::filesystem::path(LOOKBACK_SOURCE_DIR "/studies") / (name + ".toml");
    const Study plain = shipped(file, {});
    Overrides at_article;
    at_article.size = "article";
    const Study study = shipped(file, at_article);
    ASSERT_FALSE(study.arms.empty());
    EXPECT_GE(study.seeds, 3U) << name;  // fewer decide nothing
    EXPECT_EQ(study.claims.size(), plain.claims.size()) << name;
    for (std::size_t i = 0; i < study.arms.size(); ++i) {
      const RunConfig& arm = study.arms[i];
      EXPECT_EQ(arm.train.tokens, 1'000'000'000U) << name << ' ' << arm.arm;
      if (name == "data" && i > 0) continue;  // its arms change just these
      EXPECT_EQ(arm.architecture.vocabulary, 256U) << name << ' ' << arm.arm;
      EXPECT_EQ(arm.architecture.context, 256U) << name << ' ' << arm.arm;
      EXPECT_EQ(arm.data.length, 256U) << name << ' ' << arm.arm;
      EXPECT_EQ(arm.data.min_period, 16U) << name << ' ' << arm.arm;
      EXPECT_EQ(arm.data.max_period, 48U) << name << ' ' << arm.arm;
    }
  }
}

TEST(ShippedStudies, OfDataHaveEachArmAtTheScaleOfItsSize) {
  // At the article's size vocabulary, context and periods are four times as large, arm by arm (12
  // to 20 is 36 to 48 there: both within the range of the others).
  Overrides at_article;
  at_article.size = "article";
  const std::filesystem::path file = LOOKBACK_SOURCE_DIR "/studies/data.toml";
  const Study plain = shipped(file, {}), study = shipped(file, at_article);
  ASSERT_EQ(plain.arms.size(), study.arms.size());
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    const RunConfig& small = plain.arms[i];
    const RunConfig& large = study.arms[i];
    EXPECT_EQ(large.architecture.vocabulary, 4 * small.architecture.vocabulary) << small.arm;
    EXPECT_EQ(large.architecture.context, 4 * small.architecture.context) << small.arm;
    EXPECT_EQ(large.data.length, 4 * small.data.length) << small.arm;
  }
}

TEST(ShippedStudies, EveryTestOfAClaimIsMeasuredInItsArms) {
  for (const std::filesystem::path& file : shipped_studies()) {
    const Study study = shipped(file, {});
    for (const Claim& claim : study.claims) {
      for (const ClaimTest& test : claim.tests) {
        const auto arm = std::ranges::find_if(
            study.arms, [&](const RunConfig& one) { return is_about(test, one.arm); });
        ASSERT_NE(arm, study.arms.end());
        const auto is_one_of = [&](std::span<const Quantity> some) {
          return std::ranges::find(some, test.finding, &Quantity::name) != some.end();
        };
        EXPECT_TRUE(arm->evaluate.inspect || !is_one_of(inspected_quantities()))
            << study.name << ' ' << claim.name;
        EXPECT_TRUE(arm->data.text || !is_one_of(evaluated_quantities()))
            << study.name << ' ' << claim.name;
        const auto& probes = arm->evaluate.probes;
        EXPECT_TRUE(std::ranges::any_of(
            probes, [&](data::BlockKind kind) { return data::name_of(kind) == test.probe; }))
            << study.name << ' ' << claim.name;
      }
    }
  }
}

}  // namespace
}  // namespace lookback::study
