// Tests of claims, put together without a study file or read from a small one.
#pragma once

#include <string>

#include "lookback/study/claim.h"
#include "tests/study/small_study.h"

namespace lookback::study::spec {

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

inline ClaimTest by_every_seed(ClaimTest test) {
  test.decided_by = DecidedBy::every_seed;
  return test;
}

/// The small study with a claim that has this test, whose [[claim.test]] is line 37.
inline std::string with_test(const std::string& test) {
  return std::string(small_study) +
         "[[claim]]\nname = \"sharper\"\nsays = \"It is sharper.\"\n[[claim.test]]\n" + test;
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
