// The figures that claims speak of: what each is of a run, and that no run can make reading one fail.
#include "lookback/study/quantities.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "lookback/study/verdict.h"
#include "tests/study/records.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using nlohmann::json;
using spec::made_up_record;
using spec::path_ablation;
using spec::place;

Figure read_figure(const RunRecord& run, std::string_view name,
                   std::string_view probe = "repeated-blocks") {
  const Quantity* quantity = find_quantity(name);
  EXPECT_NE(quantity, nullptr) << name;
  return quantity == nullptr ? Figure() : quantity->read(run, probe);
}

void expect_number(const Figure& figure, double expected, std::string_view name) {
  const double* number = std::get_if<double>(&figure);
  ASSERT_NE(number, nullptr) << name;
  EXPECT_NEAR(*number, expected, 1e-12 * std::max(1.0, std::abs(expected))) << name;
}

bool is_nothing(const Figure& figure) { return std::holds_alternative<std::monostate>(figure); }

/// Of the made-up run (records.h), by hand.
const std::map<std::string_view, double> numbers = {
    {"transition_tokens", 150},
    {"transition_sharpness", 0.17},
    {"induction_score", 0.9},
    {"induction_score_peak", 0.95},
    {"peak_tokens", 600},
    {"induction_chance", 0.04},
    {"previous_token_score", 0.41},
    {"duplicate_token_score", 0.37},
    {"head_similarity", 0.4},  // (0.2 + 0.4 + 0.6) / 3
    {"second_half_loss", 0.26},
    {"first_half_loss", 4.5},
    {"answered_loss", 0.125},
    {"score_change_after_peak", 0.3 - 0.8},
    {"loss_ratio_after_peak", 1.2 / 1.6},
    {"second_transition_tokens", 450},
    {"largest_later_rise", 0.95 - 0.3},
    {"second_transition_loss_ratio", 0.3 / 1.2},
    {"parameters", 1234},
    {"excess_loss", 1.75 - (2.71 - 1.05)},
    {"ideal_kl", 0.015},
    {"uniform_kl", 0.317},
    {"unigram_kl", 0.222},
    {"bigram_kl", 0.021},
    {"unigram_stage", 500 - 200},
    {"bigram_tokens", 500},
    {"ideal_tokens", 700},
    {"copying_head_cost", 2.5},
    {"band_share_lost", 0.85},
    {"q_rise", 0.01},
    {"k_rise", 2.0},
    {"v_rise", 0.03},
    {"token_q_rise", 0.61},
    {"token_k_rise", 2.6},
    {"token_v_rise", 0.63},
    {"ov_eigenvalue_score", 0.96},
    {"direct_qk_eigenvalue_score", -0.41},
    {"composed_qk_eigenvalue_score", 0.88},
    {"matching_share", 0.93},
    {"k_composition_ratio", 3},
    {"head_balance", 0.2},  // 0.4 / 2
    {"value_content_ratio", 18.4},
    {"norm_frozen_rise", 0.13},
    {"norm_removed_rise", 0.23},
    {"validation_loss", 3.3},
    {"validation_loss_least", 3.2},
    {"text_perplexity", 27.1},
    {"text_bits_per_byte", 1.21},
    {"induction_bump", 2.81},
    {"copy_accuracy", 0.556},
    {"lookup_accuracy", 0.012},
    {"text_value_content_ratio", 79.2},
    {"text_value_content_rise", 4.37},
    {"wikitext_bits_per_byte", 1.43},
    {"hellaswag_accuracy", 0.309},
    {"arc_easy_accuracy", 0.386},
    {"arc_challenge_accuracy", 0.227},
    {"lambada_accuracy", 0.213},
};

TEST(Quantities, AreReadWhereTheyStand) {
  const RunRecord run = made_up_record();
  for (const Quantity& quantity : quantities()) {
    if (quantity.is_word) continue;
    const auto expected = numbers.find(quantity.name);
    ASSERT_NE(expected, numbers.end()) << quantity.name << ": which value has it here?";
    expect_number(quantity.read(run, "repeated-blocks"), expected->second, quantity.name);
  }
  EXPECT_EQ(read_figure(run, "mechanism"), Figure("k-composition"));
  EXPECT_EQ(numbers.size() + 1, quantities().size());
}

TEST(Quantities, NoTwoOfTheMadeUpRunAreTheSame) {
  // Else one could be read in the place of another.
  std::map<double, std::string_view> seen;
  for (const auto& [name, value] : numbers) {
    EXPECT_TRUE(seen.emplace(value, name).second) << name << " and " << seen[value];
  }
}

TEST(Quantities, OfAProbeAreThoseOfTheProbeAsked) {
  const RunRecord run = made_up_record();
  const std::map<std::string_view, double> unseen = {{"induction_score", 0.88},
                                                     {"induction_chance", 0.06},
                                                     {"previous_token_score", 0.43},
                                                     {"duplicate_token_score", 0.39},
                                                     {"head_similarity", 0.42},
                                                     {"second_half_loss", 0.28},
                                                     {"first_half_loss", 4.52},
                                                     {"answered_loss", 0.145},
                                                     {"excess_loss", 0.02 + 1.75 - (2.71 - 1.05)},
                                                     {"ideal_kl", 0.035},
                                                     {"uniform_kl", 0.337},
                                                     {"unigram_kl", 0.242},
                                                     {"bigram_kl", 0.041},
                                                     {"unigram_stage", 0},
                                                     {"bigram_tokens", 700},
                                                     {"ideal_tokens", 700}};
  for (const Quantity& quantity : quantities()) {
    const auto expected = unseen.find(quantity.name);
    EXPECT_EQ(quantity.of_probe, expected != unseen.end()) << quantity.name;
    if (!quantity.of_probe) continue;
    expect_number(quantity.read(run, "unseen-period"), expected->second, quantity.name);
    EXPECT_TRUE(is_nothing(quantity.read(run, "broken-period"))) << quantity.name;
  }
}

TEST(Quantities, ComeToAPredictorOnlyWhereTheyStay) {
  RunRecord run = made_up_record();
  const auto hold = [&](const std::array<double, 4>& kl) {
    spec::hold_against_predictors(run.metrics.back()["probes"]["repeated-blocks"], kl);
  };
  const double never = std::numeric_limits<double>::infinity();
  hold({0.4, 0.3, 0.2, 0.3});  // of bigrams: knows less than the ideal, more than unigrams
  EXPECT_EQ(read_figure(run, "bigram_tokens"), Figure(500.0));
  EXPECT_EQ(read_figure(run, "ideal_tokens"), Figure(never));
  hold({0.4, 0.1, 0.2, 0.3});
  EXPECT_EQ(read_figure(run, "bigram_tokens"), Figure(never));
  EXPECT_EQ(read_figure(run, "unigram_stage"), Figure(300.0));
  json& predictors = run.metrics[5]["probes"]["repeated-blocks"]["predictors"];
  predictors[1]["kl"] = 0.05;  // at 500 too: until the next evaluation
  EXPECT_EQ(read_figure(run, "unigram_stage"), Figure(400.0));
}

TEST(Quantities, OfPredictorsAreNothingWithoutThem) {
  RunRecord run = made_up_record();
  for (json& predictor : run.metrics.back()["probes"]["repeated-blocks"]["predictors"]) {
    predictor["ideal"] = "yes";
  }
  EXPECT_TRUE(is_nothing(read_figure(run, "ideal_kl")));
  EXPECT_TRUE(is_nothing(read_figure(run, "excess_loss")));
  for (json& line : run.metrics) line["probes"]["repeated-blocks"]["predictors"] = {{"name", 1}, 7};
  for (const char* name : {"uniform_kl", "unigram_stage", "bigram_tokens", "ideal_tokens"}) {
    EXPECT_TRUE(is_nothing(read_figure(run, name))) << name;
  }
}

TEST(Quantities, LeaveOutHeadsWhosePatternAClampSets) {
  RunRecord run = made_up_record();
  json& heads = run.metrics.back()["probes"]["repeated-blocks"]["heads"];
  heads[2].erase("pinned");
  expect_number(read_figure(run, "induction_score"), 0.9 * 1.02, "induction_score");
  expect_number(read_figure(run, "previous_token_score"), 0.71, "previous_token_score");
  for (json& head : heads) head["pinned"] = true;
  EXPECT_TRUE(is_nothing(read_figure(run, "induction_score")));
  EXPECT_TRUE(is_nothing(read_figure(run, "previous_token_score")));
}

TEST(Quantities, AfterThePeakWithoutASecondRiseIsTheRestOfTheRun) {
  RunRecord run = made_up_record();
  run.findings["later_transitions"] = json::array();
  expect_number(read_figure(run, "score_change_after_peak"), 0.3 - 0.8, "the lowest point");
  expect_number(read_figure(run, "loss_ratio_after_peak"), 1.2 / 1.6, "at the lowest point");
  expect_number(read_figure(run, "largest_later_rise"), 0, "none");
  EXPECT_TRUE(is_never(read_figure(run, "second_transition_tokens")));
  EXPECT_TRUE(is_nothing(read_figure(run, "second_transition_loss_ratio")));
}

TEST(Quantities, OfARunThatEndsAtItsPeakKnowNothingOfAfterIt) {
  RunRecord run = made_up_record();
  run.metrics.resize(3);
  run.findings["later_transitions"] = json::array();
  EXPECT_TRUE(is_nothing(read_figure(run, "score_change_after_peak")));
  EXPECT_TRUE(is_nothing(read_figure(run, "loss_ratio_after_peak")));
}

TEST(Quantities, OfARunThatNeverCameToATransitionAreNeverAndNothingAfterIt) {
  RunRecord run = made_up_record();
  run.findings["transition"] = nullptr;
  run.findings["transition_tokens"] = nullptr;
  run.findings["later_transitions"] = json::array();
  EXPECT_TRUE(is_never(read_figure(run, "transition_tokens")));
  EXPECT_TRUE(is_never(read_figure(run, "second_transition_tokens")));
  for (const char* name :
       {"transition_sharpness", "score_change_after_peak", "loss_ratio_after_peak",
        "largest_later_rise", "second_transition_loss_ratio"}) {
    EXPECT_TRUE(is_nothing(read_figure(run, name))) << name;
  }
}

TEST(Quantities, OfARunThatWasNotLookedAtAreNothingAndNotNever) {
  for (const char* missing : {"induction_score_peak", "induction_chance"}) {
    RunRecord run = made_up_record();
    run.findings["transition"] = nullptr;
    run.findings["transition_tokens"] = nullptr;
    run.findings["later_transitions"] = json::array();
    run.findings[missing] = nullptr;
    EXPECT_TRUE(is_nothing(read_figure(run, "transition_tokens"))) << missing;
    EXPECT_TRUE(is_nothing(read_figure(run, "second_transition_tokens"))) << missing;
  }
}

TEST(Quantities, ThatNothingWasDecidedIsNoMechanism) {
  RunRecord run = made_up_record();
  run.inspection["mechanism"]["verdict"] = "unresolved";
  EXPECT_TRUE(is_nothing(read_figure(run, "mechanism")));
}

TEST(Quantities, ThatARunMayNeverComeToAreTokensUntilAnEvent) {
  for (const Quantity& quantity : quantities()) {
    const bool is_event = quantity.name.ends_with("_tokens") && quantity.name != "peak_tokens";
    EXPECT_EQ(quantity.may_be_never, is_event) << quantity.name;
  }
}

TEST(Quantities, OfASequentialLayerReadWhatTheLayerRead) {
  // Head 0.1 reads head 0.0 and the layer's input, through a norm between the steps.
  RunRecord run = made_up_record();
  run.inspection["mechanism"]["head"] = place(0, 1);
  run.inspection["ablation"]["paths"] = {path_ablation("base 0", place(0, 1), "q", 0.7),
                                         path_ablation("base 0", place(0, 1), "k", 0.6),
                                         path_ablation("head 0.0", place(0, 1), "k", 3)};
  json& norms = run.inspection["ablation"]["norms"];
  expect_number(read_figure(run, "token_q_rise"), 0.7, "base 0");
  expect_number(read_figure(run, "k_rise"), 3, "head 0.0");
  EXPECT_TRUE(is_nothing(read_figure(run, "q_rise")));
  EXPECT_TRUE(is_nothing(read_figure(run, "norm_frozen_rise")));  // both read through the same ln1
  norms.push_back(
      {{"norm", "blocks.0.steps.1.ln"}, {"change", "frozen"}, {"rise", spec::mean_of(0.31)}});
  expect_number(read_figure(run, "norm_frozen_rise"), 0.31, "between the steps");
}

TEST(Quantities, WithoutACopyingHeadItsOwnAreNothing) {
  RunRecord run = made_up_record();
  run.inspection["mechanism"]["head"] = nullptr;
  for (const char* name :
       {"q_rise", "k_rise", "v_rise", "token_q_rise", "token_k_rise", "token_v_rise",
        "ov_eigenvalue_score", "direct_qk_eigenvalue_score", "composed_qk_eigenvalue_score",
        "matching_share", "norm_frozen_rise", "norm_removed_rise"}) {
    EXPECT_TRUE(is_nothing(read_figure(run, name))) << name;
  }
  expect_number(read_figure(run, "head_balance"), 0.2, "of all heads");
}

TEST(Quantities, OfARunThatLeftNothingAreNothing) {
  RunRecord empty;
  empty.findings = json::object();
  for (const Quantity& quantity : quantities()) {
    EXPECT_TRUE(is_nothing(quantity.read(empty, "repeated-blocks"))) << quantity.name;
  }
}

/// Reads every quantity of a run and says of which kind each was.
void read_all(const RunRecord& run) {
  for (const Quantity& quantity : quantities()) {
    for (const char* probe : {"repeated-blocks", "unseen-period", ""}) {
      const Figure figure = quantity.read(run, probe);
      const double* number = std::get_if<double>(&figure);
      EXPECT_TRUE(number == nullptr || std::isfinite(*number) ||
                  (quantity.may_be_never && is_never(figure)))
          << quantity.name;
      EXPECT_TRUE(quantity.is_word ? number == nullptr
                                   : !std::holds_alternative<std::string>(figure))
          << quantity.name;
    }
  }
}

TEST(Quantities, OfARunWithAnyValueOfAWrongKindAreReadWithoutHarm) {
  const json wrong[] = {nullptr, true, "text", -1.5, json::array(), {{"key", 1}}, {{1, "x"}, {}}};
  RunRecord run = made_up_record();
  run.metrics.erase(run.metrics.begin() + 4, run.metrics.end() - 1);
  const auto spoil = [&](json& value) {
    const json right = value;
    for (const json& other : wrong) {
      value = other;
      read_all(run);
    }
    value = right;
  };
  // The parts one by one: a whole tree cannot be spoiled while it is walked.
  const std::function<void(json&)> spoil_all = [&](json& root) {
    if (root.is_structured()) {
      for (json& child : root) spoil_all(child);
    }
    spoil(root);
  };
  spoil_all(run.findings);
  spoil_all(run.metrics.back());
  spoil_all(run.metrics[1]);
  for (const char* part : {"mechanism", "composition", "circuits"}) spoil_all(run.inspection[part]);
  for (const char* part : {"heads", "values", "norms"}) spoil_all(run.inspection["ablation"][part]);
  spoil_all(run.inspection["ablation"]["paths"][4]);
  spoil(run.inspection["ablation"]["paths"]);
  spoil(run.inspection);
  spoil_all(run.evaluation);
}

TEST(Quantities, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Quantity& quantity : quantities()) {
    EXPECT_TRUE(names.insert(quantity.name).second) << quantity.name;
    EXPECT_FALSE(quantity.says.empty()) << quantity.name;
    EXPECT_EQ(find_quantity(quantity.name), &quantity);
  }
  EXPECT_EQ(find_quantity("induction"), nullptr);
  EXPECT_EQ(find_quantity(""), nullptr);
}

TEST(Quantities, ThatAreWordsSayWhichWords) {
  for (const Quantity& quantity : quantities()) {
    EXPECT_EQ(quantity.is_word, quantity.words != nullptr) << quantity.name;
  }
  const std::vector<std::string> expected = {"none", "positional-band", "k-composition",
                                             "q-composition", "smeared-keys"};
  EXPECT_EQ(find_quantity("mechanism")->words(), expected);
}

/// Its row in docs/formats.md.
std::string row_of(const Quantity& quantity) {
  std::vector<std::string> notes;
  if (quantity.of_probe) notes.emplace_back("every probe");
  if (quantity.logarithmic) notes.emplace_back("by ratio");
  if (quantity.may_be_never) notes.emplace_back("may be never");
  if (quantity.is_word)
    notes.push_back("a word: " + fmt::format("{}", fmt::join(quantity.words(), ", ")));
  return fmt::format("| `{}` | {} | {} | {} |", quantity.name, quantity.unit, quantity.says,
                     fmt::join(notes, "; "));
}

TEST(Quantities, AreAllInTheDocumentOfFormats) {
  const std::string text = spec::text_of(LOOKBACK_SOURCE_DIR "/docs/formats.md");
  const std::string head = "| measure | unit | what | |\n|---|---|---|---|\n";
  const std::size_t at = text.find(head);
  ASSERT_NE(at, std::string::npos);
  const std::size_t first = at + head.size();
  const std::string found = text.substr(first, text.find("\n\n", first) + 1 - first);
  std::string expected;
  for (const Quantity& quantity : quantities()) expected += row_of(quantity) + '\n';
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace lookback::study
