// Tests of claims, put together without a study file or read from a small one.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "lookback/study/claim.h"
#include "lookback/study/verdict.h"
#include "tests/study/small_study.h"

namespace lookback::study::spec {

constexpr Verdict supported = Verdict::supported, contradicted = Verdict::contradicted,
                  not_decided = Verdict::not_decided;
/// Of Student's t, for an interval of 95% from three values.
constexpr double t_of_3 = 4.302652730;
/// Of a run that never came to it.
inline const Figure never = std::numeric_limits<double>::infinity();

/// Of arm "a".
inline ClaimTest test_of(const char* finding, Relation relation, double low = 0, double high = 0) {
  ClaimTest test;
  test.finding = finding;
  test.arm = "a";
  test.relation = relation;
  test.low = low;
  test.high = high;
  return test;
}

/// Held against the same figure of arm "b".
inline ClaimTest against_arm(ClaimTest test, double times = 1, double by = 0) {
  test.against_other = true;
  test.other_arm = "b";
  test.other_finding = test.finding;
  test.times = times;
  test.by = by;
  return test;
}

/// Near the same figure of arm "b".
inline ClaimTest near_arm(const char* finding, double within) {
  ClaimTest test = against_arm(test_of(finding, Relation::within));
  test.within = within;
  return test;
}

inline ClaimTest by_every_seed(ClaimTest test) {
  test.decided_by = DecidedBy::every_seed;
  return test;
}

/// Seeds 0, 1, ... with these figures, and with these others where there are any.
inline std::vector<SeedFigures> seeds_of(const std::vector<Figure>& figures,
                                         const std::vector<Figure>& others = {}) {
  std::vector<SeedFigures> seeds;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    seeds.push_back({i, figures[i], i < others.size() ? others[i] : Figure()});
  }
  return seeds;
}

/// The small study with a claim that has this test, whose [[claim.test]] is line 37.
inline std::string with_test(const std::string& test) {
  return std::string(small_study) +
         "[[claim]]\nname = \"sharper\"\nsays = \"It is sharper.\"\n[[claim.test]]\n" + test;
}

/// The line of [[claim.test]] in it.
constexpr std::size_t test_line = 37;

/// The one line that a study file gets, "s.toml:LINE: ..."; empty where it is read.
inline std::string claim_refusal(const std::string& text) {
  const Result<Study> study = parse_study(text, "s.toml", {});
  return study ? "" : study.error().message;
}

/// The only test of a study whose claim has this one.
inline ClaimTest read_one(const std::string& test) {
  const Study study = parsed(with_test(test));
  if (study.claims.size() == 1 && study.claims[0].tests.size() == 1) {
    return study.claims[0].tests[0];
  }
  ADD_FAILURE() << test;
  return {};
}

}  // namespace lookback::study::spec
