// What the page takes from the lens, and what is dropped when the page would grow too large.
#include "lookback/report/lens_data.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/report/example_lens.h"
#include "tests/report/example_study.h"
#include "tests/report/unpacked_text.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// The example study (two seeds of one arm, one of the other), every run inspected.
StudyReport inspected_study() {
  StudyReport study = test::example_study();
  for (Arm& arm : study.arms) {
    for (Run& run : arm.runs) run.lens = test::example_lens();
  }
  return study;
}

json data_of(const StudyReport& study, const LensLimits& limits, std::vector<std::string>& notes) {
  Result<json> data = lens_data(study, limits, notes);
  if (data) return std::move(*data);
  ADD_FAILURE() << data.error().message;
  return json::array();
}

/// What counts as figures of one model.
std::size_t part_bytes(const json& run) {
  return run["figures"].dump().size() + run["mechanism"].dump().size() +
         run["skipped"].dump().size();
}

TEST(LensData, HasEveryInspectedRun) {
  StudyReport study = inspected_study();
  study.arms[0].runs[1].lens.reset();
  std::vector<std::string> notes;
  const json data = data_of(study, {}, notes);
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[0]["arm"], 0);
  EXPECT_EQ(data[1]["arm"], 1);
  EXPECT_EQ(data[0]["tokens"], 10000);
  EXPECT_EQ(data[0]["mechanism"]["verdict"], "k-composition");
  EXPECT_EQ(data[0]["skipped"].size(), 1U);
  EXPECT_TRUE(notes.empty());
}

TEST(LensData, HasTheMatricesThatThereAre) {
  std::vector<std::string> notes;
  const json run = data_of(inspected_study(), {}, notes)[0];
  EXPECT_EQ(run["side"], 2);
  ASSERT_EQ(run["matrices"].size(), 1U);
  const json& matrix = run["matrices"][0];
  EXPECT_EQ(matrix["title"], "OV of head 0.0");
  EXPECT_EQ(matrix["scale"], 1.0);
  EXPECT_EQ(matrix["matching"], 3.0);
  EXPECT_EQ(test::unpacked(matrix["map"].get<std::string>(), 4),
            (std::vector<std::uint8_t>{255, 128, 128, 255}));
  EXPECT_EQ(run["matrices_note"], "Shown are 1 of 3 circuits.");
}

TEST(LensData, SaysWhyALargeVocabularyHasNoMatrices) {
  StudyReport study = inspected_study();
  study.arms[0].runs[0].lens->vocabulary = 50257;
  study.arms[0].runs[0].lens->direct[0].matrix.clear();
  std::vector<std::string> notes;
  const json run = data_of(study, {}, notes)[0];
  EXPECT_TRUE(run["matrices"].empty());
  EXPECT_EQ(run["matrices_note"],
            "Whole circuits are kept up to a vocabulary of 512 tokens; this model has 50257.");
}

TEST(LensData, LeavesOutTheLargestSeedsWhereFiguresDoNotFit) {
  const StudyReport study = inspected_study();
  std::vector<std::string> notes;
  const std::size_t one = part_bytes(data_of(study, {}, notes)[0]);
  const json data = data_of(study, {.figures = 2 * one + one / 2, .matrices = 1000}, notes);
  ASSERT_EQ(data.size(), 2U);
  EXPECT_EQ(data[0]["seed"], 0);
  EXPECT_EQ(data[1]["seed"], 0);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0], "what the lens found in 1 of 3 models was left out to keep this page small");
}

TEST(LensData, LeavesOutArmsWhereTheSmallestSeedOfAllIsTooLarge) {
  StudyReport study = inspected_study();
  std::vector<std::string> notes;
  const std::size_t one = part_bytes(data_of(study, {}, notes)[0]);
  const json first = data_of(study, {.figures = one, .matrices = 1000}, notes);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0]["arm"], 0);
  const std::string lost =
      "what the lens found in 2 of 3 models was left out to keep this page small, all of arm ";
  EXPECT_EQ(notes, (std::vector<std::string>{lost + "'alone'"}));
  // One that is too large takes no room from those after it.
  notes.clear();
  for (auto& run : study.arms[0].runs) run.lens->mechanism.reason = std::string(1000, 'x');
  const json second = data_of(study, {.figures = one, .matrices = 1000}, notes);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0]["arm"], 1);
  EXPECT_EQ(notes, (std::vector<std::string>{lost + "'" + study.arms[0].name + "'"}));
  notes.clear();
  EXPECT_TRUE(data_of(study, {.figures = 1, .matrices = 1000}, notes).empty());
  EXPECT_EQ(notes.size(), 1U);
}

TEST(LensData, LeavesOutMatricesOfTheLargestSeedsThenOfTheLastArms) {
  const StudyReport study = inspected_study();
  std::vector<std::string> notes;
  const std::size_t one =
      data_of(study, {}, notes)[0]["matrices"][0]["map"].get<std::string>().size();
  const auto shown = [&](std::size_t limit) {
    notes.clear();
    std::vector<std::size_t> counts;
    for (const json& run : data_of(study, {.figures = 1'000'000, .matrices = limit}, notes)) {
      counts.push_back(run["matrices"].size());
    }
    return counts;
  };
  EXPECT_EQ(shown(3 * one), (std::vector<std::size_t>{1, 1, 1}));
  EXPECT_TRUE(notes.empty());
  EXPECT_EQ(shown(3 * one - 1), (std::vector<std::size_t>{1, 0, 1})) << "arm 0's seed 1 goes";
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0],
            "circuits as matrices of 1 of 3 models were left out to keep this page small");
  EXPECT_EQ(shown(one), (std::vector<std::size_t>{1, 0, 0}));
  EXPECT_EQ(shown(0), (std::vector<std::size_t>{0, 0, 0}));
}

TEST(LensData, NamesTheArmOfAMatrixOfTheWrongSize) {
  StudyReport study = inspected_study();
  study.arms[1].runs[0].lens->direct[0].matrix.pop_back();
  std::vector<std::string> notes;
  const Result<json> data = lens_data(study, {}, notes);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message,
            "arm 'alone': OV of head 0.0: matrix: found 3 values, expected 2 x 2");
}

}  // namespace
}  // namespace lookback::report
