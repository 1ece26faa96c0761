// The ledger of runs that are made up: verdicts of claims, what is left out and why, that it is refused
// where a file is not as it was written, and that nothing else in a run's files can make it fail.
#include "lookback/study/ledger.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <span>
#include <utility>

#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/output_place.h"
#include "lookback/study/quantities.h"
#include "lookback/study/run_manifest.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/records.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::json_of;
using spec::made_up_record;
using spec::parsed;
using spec::small_study;
using spec::text_of;

/// Two claims: the first is supported by the made-up runs below, the second is not.
constexpr const char* two_claims = R"([[claim]]
name = "earlier"
number = 4
says = "Two layers are earlier."
article = "it forms slightly earlier"
article_figure = "1M"
needs_tokens = 700
[[claim.test]]
finding = "transition_tokens"
arm = "two-layer"
below_arm = "parallel"
[[claim.test]]
finding = "mechanism"
arm = "two-layer"
is = "k-composition"
[[claim]]
name = "sharp"
says = "Both end sharp."
[[claim.test]]
finding = "induction_score"
arm = ["two-layer", "parallel"]
above = 0.5
)";

std::string study_with(const std::string& claims) {
  return spec::changed("name = \"small\"\n", "name = \"small\"\nseeds = 3\n") + claims;
}

/// A claim of one test, decided by every seed.
std::string one_claim(const std::string& test) {
  return "[[claim]]\nname = \"one\"\nsays = \"One.\"\n[[claim.test]]\narm = \"two-layer\"\n" + test;
}

class Ledger : public testing::Test {
 protected:
  /// Runs of both arms and three seeds: transitions at 100, 110, 120 and twice that, and best scores
  /// of 0.9 and of 0.2, 0.3, 0.4.
  void SetUp() override {
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      RunRecord run = made_up_record();
      run.findings["transition_tokens"] = 100 + 10 * seed;
      put("two-layer", seed, run);
      run.findings["transition_tokens"] = 200 + 20 * seed;
      for (json& head : run.metrics.back()["probes"]["repeated-blocks"]["heads"]) {
        head["induction_score"] = 0.2 + 0.1 * static_cast<double>(seed);
      }
      put("parallel", seed, run);
    }
  }

  std::filesystem::path run_path(const char* arm, std::uint64_t seed) const {
    return run_directory(directory_.path(), arm, seed);
  }

  static RunConfig config_of(const std::string& arm, std::uint64_t seed) {
    const Study study = parsed(study_with(""));
    const auto found = std::ranges::find(study.arms, arm, &RunConfig::arm);
    return study.run(static_cast<std::size_t>(found - study.arms.begin()), seed);
  }

  /// The files of a run that has ended, as its manifest lists them.
  void put(const char* arm, std::uint64_t seed, const RunRecord& run) {
    const std::filesystem::path place = run_path(arm, seed);
    const RunConfig config = config_of(arm, seed);
    std::filesystem::create_directories(place);
    std::ofstream(place / "config.toml") << to_toml(config);
    std::ofstream(place / "findings.json") << run.findings;
    std::ofstream(place / "inspection.json") << run.inspection;
    std::ofstream(place / "evaluation.json") << run.evaluation;
    ASSERT_TRUE(MetricsWriter(place / "metrics.jsonl", identity_of(config)).begin(run.metrics));
    const std::string files[] = {"config.toml", "findings.json", "inspection.json",
                                 "evaluation.json", "metrics.jsonl"};
    ASSERT_TRUE(list_files(place, files));
  }

  /// What a program wrote there, or with `listed` false what came to be there otherwise.
  void put_text(const char* arm, std::uint64_t seed, const std::string& file,
                const std::string& text, bool listed = true) {
    std::ofstream(run_path(arm, seed) / file) << text;
    if (!listed) return;
    ASSERT_TRUE(list_files(run_path(arm, seed), std::span(&file, 1)));
  }

  void remove(const char* arm, std::uint64_t seed, const std::string& file) {
    ASSERT_TRUE(unlist_files(run_path(arm, seed), std::span(&file, 1)));
    std::filesystem::remove(run_path(arm, seed) / file);
  }

  json made(const std::string& claims) {
    const Result<json> ledger = write_ledger(parsed(study_with(claims)), directory_.path());
    if (ledger) return *ledger;
    ADD_FAILURE() << ledger.error().message;
    return {};
  }

  json first_claim(const std::string& claims) { return made(claims)["claims"][0]; }

  std::string refusal() {
    const auto ledger = write_ledger(parsed(study_with(two_claims)), directory_.path());
    return ledger ? "" : ledger.error().message;
  }

  test::TemporaryDirectory directory_;
};

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
  EXPECT_EQ(test["threshold"], 1);
  EXPECT_EQ(test["decided_by"], "mean");
  EXPECT_EQ(test["scale"], "log");
  EXPECT_EQ(test["verdict"], "supported");
  ASSERT_EQ(test["seeds"].size(), 3U);
  EXPECT_EQ(test["seeds"][1], json({{"seed", 1},
                                    {"value", 110.0},
                                    {"other", 220.0},
                                    {"difference", 0.5},  // the ratio, where the scale is "log"
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
  EXPECT_EQ(test["seeds"][0]["difference"], nullptr);
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
  // Without it there would be three seeds; and what it lacks is no transition that never came.
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
  for (const char* key : {"format", "study", "question", "instruction_sets", "claims"}) {
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
  const json wrong[] = {nullptr, "text", -1, json::array({json::array(), nullptr}), {{"head", 1}}};
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

TEST_F(Ledger, IsRefusedWhereAListedFileIsNoJson) {
  for (const char* file : {"findings.json", "inspection.json", "evaluation.json"}) {
    for (const char* text : {"", "[]", "3", "{", "\xff\xfe"}) {
      put_text("two-layer", 1, file, text);
      EXPECT_EQ(refusal().find((run_path("two-layer", 1) / file).string() + ": "), 0U) << text;
    }
    put("two-layer", 1, made_up_record());
  }
}

TEST_F(Ledger, IsRefusedWhereAFileOfARunWasChangedOrRemoved) {
  for (const char* file :
       {"findings.json", "inspection.json", "evaluation.json", "metrics.jsonl"}) {
    const std::filesystem::path path = run_path("two-layer", 1) / file;
    std::string text = text_of(path);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    put_text("two-layer", 1, file, text, false);
    EXPECT_EQ(refusal().find(path.string() + ": "), 0U) << file;
    std::filesystem::remove(path);
    EXPECT_EQ(refusal().find(path.string() + ": "), 0U) << file;
    put("two-layer", 1, made_up_record());
    EXPECT_EQ(refusal(), "");
  }
}

TEST_F(Ledger, IsRefusedWhereARunHasTheFilesOfAnother) {
  const auto copy = [&](const char* arm, std::uint64_t seed, const char* file) {
    std::filesystem::copy_file(run_path(arm, seed) / file, run_path("two-layer", 1) / file,
                               std::filesystem::copy_options::overwrite_existing);
  };
  for (const char* file : {"findings.json", "metrics.jsonl"}) {
    copy("parallel", 1, file);
    EXPECT_EQ(refusal().find((run_path("two-layer", 1) / file).string() + ": "), 0U) << file;
    put("two-layer", 1, made_up_record());
  }
  // With the manifest, as when a whole directory is copied.
  for (const char* file : {"config.toml", "findings.json", "metrics.jsonl", "inspection.json",
                           "evaluation.json", manifest_name}) {
    copy("two-layer", 2, file);
  }
  EXPECT_EQ(refusal().find((run_path("two-layer", 1) / "config.toml").string() + ": "), 0U);
}

TEST_F(Ledger, IsRefusedWhereAManifestIsGone) {
  std::filesystem::remove(run_path("two-layer", 1) / manifest_name);
  EXPECT_EQ(refusal().find((run_path("two-layer", 1) / manifest_name).string() + ": "), 0U);
}

TEST_F(Ledger, NamesTheInstructionSetsOfItsRuns) {
  EXPECT_EQ(made(two_claims)["instruction_sets"], json::array());
  for (const auto& [arm, set] : {std::pair{"parallel", "AVX3"}, {"two-layer", "AVX2"}}) {
    ASSERT_TRUE(update_manifest(run_path(arm, 0), [&](Manifest& manifest) {
      manifest.made_by = {{{"instruction_set", set}}};
    }));
  }
  EXPECT_EQ(made(two_claims)["instruction_sets"], json({"AVX2", "AVX3"}));
}

}  // namespace
}  // namespace lookback::study
