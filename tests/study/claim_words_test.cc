// Claims in words: sentences, what a figure is held against, and numbers.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "lookback/study/claim.h"
#include "tests/study/claim_tests.h"

namespace lookback::study {
namespace {

using spec::read_one;

TEST(ClaimInWords, SaysTheTest) {
  const std::pair<std::string, const char*> sentences[] = {
      {"finding = \"induction_score\"\narm = \"parallel\"\nabove = 0.5\n",
       "parallel: the best head's induction score at the end is above 0.5"},
      {"finding = \"transition_tokens\"\narm = \"parallel\"\nbelow = 12500000\n",
       "parallel: tokens until the first transition is below 12.5M"},
      {"finding = \"transition_tokens\"\narm = \"parallel\"\nbetween = [5000, 2000000000]\n",
       "parallel: tokens until the first transition is between 5000 and 2G"},
      {"finding = \"induction_score\"\narm = \"parallel\"\nprobe = \"unseen-period\"\nbelow = 0\n",
       "parallel: the best head's induction score at the end on unseen-period is below 0"},
      {"finding = \"second_half_loss\"\narm = \"parallel\"\nabove_arm = \"sequential\"\n",
       "parallel: second-half loss at the end is above that of sequential"},
      {"finding = \"second_half_loss\"\narm = \"parallel\"\nabove_arm = \"sequential\"\n"
       "times = 3\nby = 0.25\n",
       "parallel: second-half loss at the end is above 3 times that of sequential plus 0.25"},
      {"finding = \"second_half_loss\"\narm = \"parallel\"\nbelow_finding = \"first_half_loss\"\n"
       "by = -1\n",
       "parallel: second-half loss at the end is below first-half loss at the end minus 1"},
      {"finding = \"second_half_loss\"\narm = \"parallel\"\nbelow_finding = \"first_half_loss\"\n"
       "below_arm = \"two-layer\"\n",
       "parallel: second-half loss at the end is below first-half loss at the end in two-layer"},
      {"finding = \"transition_tokens\"\narm = \"parallel\"\nwithin = 0.1\nof_arm = "
       "\"sequential\"\n",
       "parallel: tokens until the first transition is within 10% of that of sequential"},
      {"finding = \"second_half_loss\"\narm = \"parallel\"\nwithin = 0.1\nof_arm = "
       "\"sequential\"\n",
       "parallel: second-half loss at the end is within 0.1 nats of that of sequential"},
      {"finding = \"induction_score\"\narm = \"parallel\"\nwithin = 0.03\n"
       "of_finding = \"induction_score_peak\"\n",
       "parallel: the best head's induction score at the end is within 0.03 of the best head's "
       "highest induction score"},
      {"finding = \"mechanism\"\narm = \"parallel\"\nis = \"none\"\n",
       "parallel: the mechanism that interventions point to is none"},
      {"finding = \"transition_tokens\"\narm = \"parallel\"\npresent = true\n",
       "parallel: tokens until the first transition exists"},
      {"finding = \"transition_tokens\"\narm = \"parallel\"\npresent = false\n",
       "parallel: tokens until the first transition does not exist"}};
  for (const auto& [text, sentence] : sentences) EXPECT_EQ(sentence_of(read_one(text)), sentence);
}

TEST(ClaimInWords, SaysWhatTheFigureIsHeldAgainst) {
  const std::string loss = "finding = \"second_half_loss\"\narm = \"parallel\"\n";
  const std::pair<std::string, const char*> against[] = {
      {"above = 0.5\n", "0.5"},
      {"above = 5000000\n", "5000000"},
      {"between = [0.5, 2]\n", "0.5 to 2"},
      {"above_arm = \"sequential\"\n", "sequential"},
      {"above_arm = \"sequential\"\ntimes = 3\nby = -0.5\n", "3 times sequential - 0.5"},
      {"above_finding = \"first_half_loss\"\n", "first_half_loss"},
      {"above_finding = \"first_half_loss\"\nabove_arm = \"sequential\"\nby = 1\n",
       "first_half_loss of sequential + 1"},
      {"within = 0.1\nof_arm = \"sequential\"\n", "sequential ± 0.1"},
  };
  for (const auto& [text, words] : against) EXPECT_EQ(against_of(read_one(loss + text)), words);
  EXPECT_EQ(
      against_of(read_one("finding = \"transition_tokens\"\narm = \"parallel\"\npresent = true\n")),
      "");
  EXPECT_EQ(against_of(read_one("finding = \"peak_tokens\"\narm = \"parallel\"\nwithin = 0.1\n"
                                "of_arm = \"sequential\"\n")),
            "sequential ± 10%");
  EXPECT_EQ(against_of(read_one("finding = \"mechanism\"\narm = \"parallel\"\nis = \"none\"\n")),
            "none");
}

TEST(ClaimInWords, ShowsNumbersWithThreeDigits) {
  const std::pair<double, const char*> plain[] = {{0, "0"},
                                                  {1, "1.00"},
                                                  {2.7951, "2.80"},
                                                  {-0.0612, "-0.0612"},
                                                  {12.345, "12.3"},
                                                  {123.45, "123"},
                                                  {1234.5, "1234"},
                                                  {0.5, "0.500"},
                                                  {0.00123, "0.00123"},
                                                  {1.5e-7, "1.50e-07"}};
  for (const auto& [value, text] : plain) EXPECT_EQ(shown_number(value, "nats"), text);
  const std::pair<double, const char*> tokens[] = {
      {99'999, "99999"}, {450'000, "0.450M"}, {6'774'321, "6.77M"}, {12'345'678, "12.3M"},
      {531e6, "531M"},   {1.2e9, "1.20G"},    {-2e6, "-2.00M"}};
  for (const auto& [value, text] : tokens) EXPECT_EQ(shown_number(value, "tokens"), text);
}

}  // namespace
}  // namespace lookback::study
