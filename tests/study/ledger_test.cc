// The ledger of made-up runs: verdicts of claims, what is excluded and why, and that nothing that
// stands in a run's files can make it fail.
#include "lookback/study/ledger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <utility>

#include "lookback/study/manifest.h"
#include "lookback/study/quantities.h"
#include "tests/study/made_up_runs.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::json_of;
using spec::made_up_record;
using spec::one_claim;
using spec::parsed;
using spec::small_study;
using spec::study_with;
using spec::text_of;
using spec::two_claims;

class Ledger : public spec::MadeUpRuns {};

TEST_F(Ledger, SaysOfEachClaimWhatItsRunsDecide) {
  const json ledger = made(two_claims);
  EXPECT_EQ(ledger["format"], "lookback ledger 2");
  EXPECT_EQ(ledger["study"], "small");
  EXPECT_EQ(ledger["question"], "Does it run?");
  ASSERT_EQ(ledger["claims"].size(), 2U);
  const json& claim = ledger["claims"][0];
  EXPECT_EQ(claim["name"], "earlier");
  EXPECT_EQ(claim["number"], 4);
  EXPECT_EQ(claim["says"], "Two layers are earlier.");
  EXPECT_EQ(claim["article"], "it forms slightly earlier");
  EXPECT_EQ(claim["article_figure"], "1M");
  EXPECT_EQ(claim["verdict"], "supported");
  EXPECT_EQ(claim["reason"], "all 2 tests hold");
  EXPECT_EQ(claim["figure"], "× 0.500 [0.500, 0.500]; k-composition in 3 of 3 seeds");
  EXPECT_EQ(claim["runs"], json({"parallel/seed-0", "parallel/seed-1", "parallel/seed-2",
                                 "two-layer/seed-0", "two-layer/seed-1", "two-layer/seed-2"}));
  EXPECT_EQ(ledger["claims"][1]["number"], nullptr);
}

TEST_F(Ledger, OfATestHasTheFiguresOfEverySeed) {
  const json test = first_claim(two_claims)["tests"][0];
  EXPECT_EQ(test["says"], "two-layer: tokens until the first transition is below that of parallel");
  EXPECT_EQ(test["finding"], "transition_tokens");
  EXPECT_EQ(test["probe"], "repeated-blocks");
  EXPECT_EQ(test["unit"], "tokens");
  EXPECT_EQ(test["arm"], "two-layer");
  EXPECT_EQ(test["relation"], "below");
  EXPECT_EQ(test["against"], "parallel");
  EXPECT_EQ(
      test["compared_with"],
      json({{"arm", "parallel"}, {"finding", "transition_tokens"}, {"times", 1.0}, {"by", 0.0}}));
  EXPECT_EQ(test["compared_by"], "ratio");
  EXPECT_EQ(test["threshold"], 1);
  EXPECT_EQ(test["decided_by"], "mean");
  EXPECT_EQ(test["scale"], "log");
  EXPECT_EQ(test["verdict"], "supported");
  ASSERT_EQ(test["seeds"].size(), 3U);
  EXPECT_EQ(test["seeds"][1], json({{"seed", 1},
                                    {"value", 110.0},
                                    {"other", 220.0},
                                    {"effect", 0.5},  // what "compared_by" names
                                    {"holds", true}}));
  EXPECT_EQ(test["mean"], 0.5);
  EXPECT_EQ(test["standard_deviation"], nullptr);
  EXPECT_EQ(test["interval"], json({0.5, 0.5}));
  EXPECT_EQ(test["holds_in"], 3);
  EXPECT_EQ(test["of"], 3);
  EXPECT_EQ(test["share_interval"], json({0.2924018, 1.0}));  // 0.025^(1/3)
}

TEST_F(Ledger, OfALinearTestHasItsMeanDeviationAndInterval) {
  const json test = made(two_claims)["claims"][1]["tests"][1];
  EXPECT_EQ(test["arm"], "parallel");
  EXPECT_EQ(test["against"], "0.5");
  EXPECT_EQ(test["compared_with"], nullptr);
  EXPECT_EQ(test["threshold"], 0.5);
  EXPECT_EQ(test["scale"], "linear");
  EXPECT_EQ(test["mean"], 0.3);
  EXPECT_EQ(test["standard_deviation"], 0.1);
  EXPECT_EQ(test["interval"], json({0.05158623, 0.5484138}));  // 0.3 -+ 4.302653 * 0.1 / sqrt 3
  EXPECT_EQ(test["seeds"][0]["value"], 0.2);
  EXPECT_EQ(test["seeds"][0]["other"], nullptr);
  EXPECT_EQ(test["compared_by"], nullptr);
  EXPECT_EQ(test["seeds"][0]["effect"], nullptr);
  EXPECT_EQ(test["seeds"][0]["holds"], false);
  EXPECT_EQ(test["holds_in"], 0);
}

TEST_F(Ledger, AClaimIsDecidedByItsWeakestTest) {
  const json claim = made(two_claims)["claims"][1];
  EXPECT_EQ(claim["tests"][0]["verdict"], "supported");
  EXPECT_EQ(claim["tests"][1]["verdict"], "not decided");
  EXPECT_EQ(claim["verdict"], "not decided");
  EXPECT_EQ(claim["figure"], claim["tests"][1]["figure"]);
  EXPECT_EQ(claim["reason"],
            "parallel: the best head's induction score at the end is above 0.5: the 95% interval "
            "over 3 seeds includes the bound; it holds in 0 of 3 seeds");
}

TEST_F(Ledger, OfRunsTooShortSaysThatTheyAre) {
  const std::string test = "finding = \"transition_tokens\"\npresent = true\n";
  std::string needs = one_claim(test);
  needs.replace(needs.find("[[claim.test]]"), 0, "needs_tokens = \"20M\"\n");
  const json claim = first_claim(needs);
  EXPECT_EQ(claim["verdict"], "not tested at this size");
  EXPECT_EQ(claim["tests"][0]["verdict"], "not tested at this size");
  EXPECT_EQ(claim["tests"][0]["reason"], "it needs runs of 20.0M tokens, these have 700");
  EXPECT_EQ(claim["tests"][0]["holds_in"], 3);  // its figures stay
  EXPECT_EQ(first_claim(one_claim(test))["verdict"], "supported");
}

TEST_F(Ledger, ARunThatDivergedHasNoFigureAndIsNotRestedOn) {
  // Without it there would be three seeds; and a missing measure is not a transition that never
  // came.
  RunRecord run = made_up_record();
  run.findings["status"] = "diverged";
  run.findings["tokens"] = 10;
  run.findings["transition_tokens"] = nullptr;
  put("two-layer", 1, run);
  const json claim = first_claim(two_claims);
  EXPECT_EQ(claim["verdict"], "not decided");  // and not "not tested": 10 tokens are not its size
  const json& test = claim["tests"][0];
  EXPECT_EQ(test["of"], 2);
  EXPECT_EQ(test["seeds"].size(), 3U);
  EXPECT_EQ(test["seeds"][1]["value"], nullptr);
  EXPECT_EQ(test["seeds"][1]["holds"], nullptr);
  EXPECT_EQ(test["reason"],
            "2 seeds decide nothing, 3 are needed; 1 of 3 seeds cannot be compared");
  const json& names = claim["runs"];
  EXPECT_EQ(std::ranges::count(names, json("two-layer/seed-1")), 0);
  EXPECT_EQ(names.size(), 5U);
  const json never = first_claim(one_claim("finding = \"transition_tokens\"\npresent = false\n"));
  EXPECT_EQ(never["tests"][0]["holds_in"], 0);
}

TEST_F(Ledger, LeavesOutRunsThatHaveNotEnded) {
  remove("parallel", 2, "findings.json");
  const json test = first_claim(two_claims)["tests"][0];
  EXPECT_EQ(test["seeds"].size(), 2U);
  EXPECT_EQ(test["verdict"], "not decided");
  EXPECT_EQ(test["reason"], "2 seeds decide nothing, 3 are needed; 1 of 3 seeds have not ended");
  EXPECT_EQ(first_claim(two_claims)["runs"].size(), 5U);
}

TEST_F(Ledger, OfNoRunsDecidesNothing) {
  for (const char* arm : {"two-layer", "parallel"}) std::filesystem::remove_all(directory_ / arm);
  const json claim = first_claim(two_claims);
  EXPECT_EQ(claim["verdict"], "not decided");
  EXPECT_EQ(claim["runs"], json::array());
  EXPECT_EQ(claim["tests"][0]["mean"], nullptr);
  EXPECT_EQ(claim["tests"][0]["interval"], nullptr);
  EXPECT_EQ(claim["tests"][0]["share_interval"], nullptr);
  EXPECT_EQ(claim["tests"][0]["seeds"], json::array());
}

TEST_F(Ledger, ReadsTheSeedsOfTheStudyAlone) {
  put("two-layer", 3, made_up_record());
  put("parallel", 3, made_up_record());
  EXPECT_EQ(first_claim(two_claims)["tests"][0]["seeds"].size(), 3U);
}

TEST_F(Ledger, IsTheSameBytesEachTime) {
  const json first = made(two_claims);
  const std::string text = text_of(directory_ / "ledger.json");
  EXPECT_EQ(text, first.dump(2) + '\n');
  made(two_claims);
  EXPECT_EQ(text_of(directory_ / "ledger.json"), text);
}

TEST_F(Ledger, OfAStudyWithoutClaimsIsNone) {
  made(two_claims);
  ASSERT_TRUE(std::filesystem::exists(directory_ / "ledger.json"));
  EXPECT_EQ(made("")["claims"], json::array());
  EXPECT_FALSE(std::filesystem::exists(directory_ / "ledger.json"));
  made("");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "ledger.json"));
}

TEST_F(Ledger, HasNoKeyThatTheDocumentOfFormatsLacks) {
  const std::string text = text_of(LOOKBACK_SOURCE_DIR "/docs/formats.md");
  const std::size_t first = text.find("\n## ledger.json\n");
  ASSERT_NE(first, std::string::npos);
  const std::string section = text.substr(first, text.find("\n## ", first + 1) - first);
  const json ledger = made(two_claims);
  for (const char* key : {"format", "study", "question", "engines", "claims"}) {
    EXPECT_TRUE(ledger.contains(key)) << key;
    EXPECT_NE(section.find('"' + std::string(key) + '"'), std::string::npos) << key;
  }
  EXPECT_EQ(ledger.size(), 5U);
  const json& claim = ledger["claims"][0];
  const json& test = claim["tests"][0];
  for (const json& object : {claim, claim["stated"], test, test["seeds"][0]}) {
    for (const auto& [key, value] : object.items()) {
      EXPECT_NE(section.find('`' + key + '`'), std::string::npos) << key;
    }
  }
}

// --- what the runs left

void expect_short_lists(const json& value) {
  constexpr std::size_t longest = 20;
  if (value.is_array()) {
    EXPECT_LE(value.size(), longest) << value.dump().substr(0, 80);
  }
  if (!value.is_structured()) return;
  for (const json& child : value) expect_short_lists(child);
}

TEST_F(Ledger, ItsRecordsHoldNoListsOfASequencesLength) {
  RunRecord run = made_up_record();
  const json list(500, 0.5);
  for (json& line : run.metrics) {
    json& probe = line["probes"]["repeated-blocks"];
    probe["loss_by_position"] = probe["loss_by_occurrence"] = list;
    line["unclamped"] = line["probes"];
  }
  run.findings["last"] = run.metrics.back();
  for (const char* kind : {"direct", "composed"}) {
    for (json& circuit : run.inspection["circuits"][kind]) {
      for (const char* key : {"eigenvalues", "singular_values", "largest"}) circuit[key] = list;
    }
  }
  run.inspection["circuits"]["positional"] = {{{"by_offset", list}}};
  run.inspection["probes"] = {{"repeated-blocks", {{"loss_by_position", list}}}};
  run.inspection["patching"] = {{{"by_position", list}}};
  run.evaluation["config"] = {{"heads", list}};
  put("two-layer", 0, run);
  const auto record = read_run_record(run_path("two-layer", 0), config_of("two-layer", 0));
  ASSERT_TRUE(record) << record.error().message;
  ASSERT_TRUE(*record);
  expect_short_lists((*record)->findings);
  for (const json& line : (*record)->metrics) expect_short_lists(line);
  expect_short_lists((*record)->inspection);
  expect_short_lists((*record)->evaluation);
  for (const Quantity& quantity : quantities()) {
    EXPECT_EQ(quantity.read(**record, "repeated-blocks"),
              quantity.read(made_up_record(), "repeated-blocks"))
        << quantity.name;
  }
}

TEST_F(Ledger, OfARunWithoutAnInspectionHasItsOtherFigures) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    remove("two-layer", seed, "inspection.json");
  }
  const json tests = first_claim(two_claims)["tests"];
  EXPECT_EQ(tests[0]["verdict"], "supported");
  EXPECT_EQ(tests[1]["verdict"], "not decided");
  EXPECT_EQ(tests[1]["seeds"][0]["value"], nullptr);
}

TEST_F(Ledger, OfAnyFilesWithWrongKindsEverywhereIsMade) {
  // Every figure of every kind; then files that hold another kind in the place of each of their parts.
  std::string claims;
  for (const Quantity& quantity : quantities()) {
    claims += fmt::format(
        "[[claim]]\nname = \"{0}\"\nsays = \"A.\"\n[[claim.test]]\nfinding = \"{0}\"\narm = "
        "\"two-layer\"\n{1}",
        quantity.name, quantity.is_word ? "is = \"none\"\n" : "below_arm = \"parallel\"\n");
  }
  const RunRecord good = made_up_record();
  const json wrong[] = {nullptr, "text", 0.5, json::array({json::array(), nullptr}), {{"head", 1}}};
  for (const json& other : wrong) {
    RunRecord run = good;
    for (json& value : run.findings) value = other;
    run.findings["status"] = "finished";
    for (json& value : run.inspection) value = other;
    put("two-layer", 0, run);
    for (json& value : run.inspection["ablation"] = good.inspection["ablation"]) value = other;
    for (json& value : run.inspection["circuits"] = good.inspection["circuits"]) value = other;
    put("two-layer", 1, run);
    run.findings = {{"status", other}};
    run.inspection = {{"circuits", {{"direct", {other, other}}, {"composed", other}}}};
    put("two-layer", 2, run);
    EXPECT_EQ(made(claims)["claims"].size(), quantities().size());
  }
  put_text("two-layer", 0, "inspection.json", "{\"circuits\": {\"direct\": {}}}");
  EXPECT_EQ(made(claims)["claims"].size(), quantities().size());
}

TEST_F(Ledger, NamesTheEnginesOfItsRuns) {
  EXPECT_EQ(made(two_claims)["engines"], json::array());
  const auto make_by = [&](const char* arm, const char* engine) {
    return update_manifest(run_path(arm, 0), [&](Manifest& manifest) {
      manifest.made_by = {{{"engine", engine}}};
    });
  };
  ASSERT_TRUE(make_by("parallel", "cpu float32 AVX3"));
  ASSERT_TRUE(make_by("two-layer", "scalar float64"));
  EXPECT_EQ(made(two_claims)["engines"], json({"cpu float32 AVX3", "scalar float64"}));
}

}  // namespace
}  // namespace lookback::study
