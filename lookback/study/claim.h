// A claim: a sentence that runs can decide, with the tests that decide it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/toml_table.h"
#include "lookback/study/sweep.h"

namespace lookback::study {

enum class Relation {
  above,  ///< the figure is above a number, or above another figure
  below,
  between,  ///< between two numbers, both included
  within,   ///< near another figure, on both sides, the edges included
  is,       ///< the figure is a word
  present,  ///< the run has the figure at all: it has had a transition
  absent,
  exponent,  ///< the figure goes with a power of a swept number, whose exponent is between two numbers
};
/// "above", "below", "between", "within", "is", "present", "absent", "exponent".
const char* name_of(Relation relation);

/// What must be on the claim's side.
enum class DecidedBy {
  mean,        ///< the interval of 95% of the mean, of figures or of differences paired by seed
  every_seed,  ///< each of them: one counterexample contradicts
  fit,         ///< the interval of 95% of the exponent, fitted over all runs of all points
};
/// "mean", "every-seed", "fit".
const char* name_of(DecidedBy decided_by);

/// Over which runs a power law is fitted.
struct PowerLaw {
  struct Place {
    std::string arm;  ///< the full name, at a point of the sweep
    double at = 0;
  };
  std::string key;            ///< the swept key: "model.context"
  std::vector<Place> places;  ///< the arm's points, in the order of the sweep
  bool skips_missing =
      false;  ///< whether runs that have no figure are skipped, and decide all the same
};

/// A predicate over a measure (quantities.h) of one arm's runs. Against another measure, of the
/// same seed and on the same probe, the predicate is: measure > times * other + by (below: <).
/// Within: the measure's ratio to the other lies in 1 -+ within or, if the two are compared by
/// their difference, the difference lies in 0 -+ within.
struct ClaimTest {
  std::string finding;
  std::string probe = {};  ///< empty: the arm's main one
  std::string arm;
  Relation relation = Relation::above;
  bool against_other = false;  ///< another figure, not a number
  std::string other_arm, other_finding;
  double times = 1, by = 0;
  double within = 0;         ///< a share of the other (by ratio), or in the figure's unit
  double low = 0, high = 0;  ///< the number (`low`) or numbers
  std::string word;
  std::optional<PowerLaw> law;  ///< of an exponent; `arm` is then the arm without its point
  DecidedBy decided_by = DecidedBy::mean;
};

struct Claim {
  std::string name;
  std::optional<std::uint64_t> number;  ///< of the article's claims
  std::string says;
  std::string article;             ///< the article's own words, or none
  std::string article_figure;      ///< and its figure
  std::string stated_after;        ///< what its author knew: "the first seeds were known"; or none
  std::uint64_t needs_tokens = 0;  ///< a run: with fewer, it is not tested at this size
  std::vector<ClaimTest> tests;    ///< all must hold; at least one
};

/// Reads the [[claim]]s of a study with these arms. Errors are recorded in the reader.
std::vector<Claim> read_claims(base::TableReader& study, const SweptArms& arms);

/// Reads of a test that has `exponent` what it says of it: `against`, `at`, `skip_missing`. REQUIRES that
/// test.arm is the base of an arm. Errors are recorded in the reader.
void read_power_law(base::TableReader& reader, const SweptArms& arms, ClaimTest& test);

/// Whether a test is about the runs of an arm.
bool is_about(const ClaimTest& test, std::string_view arm);

/// `needs_tokens` of a claim, or of one of its sizes.
std::uint64_t read_needed_tokens(base::TableReader& reader);

/// Whether the measures of a test are compared by ratio: means are then of logarithms. REQUIRES a
/// test whose measures exist.
bool is_by_ratio(const ClaimTest& test);

/// A test in words: "two-layer: the best head's induction score at the end is above that of
/// sequential".
std::string sentence_of(const ClaimTest& test);

/// The other measure by name: "sequential", "q_rise", "q_rise of sequential"; empty without one.
std::string other_name(const ClaimTest& test);

/// What the measure is compared with: "0.1", "5000000 to 20000000", "sequential", "3 times
/// sequential", "sequential ± 10%", "q_rise", a word; empty for nothing. REQUIRES a test whose
/// measures exist.
std::string against_of(const ClaimTest& test);

/// A measured number as a claim shows it, with three digits: 0.0612, 2.80, 1234; tokens from 100,000
/// on as 6.77M or 1.20G.
std::string shown_number(double value, std::string_view unit);

}  // namespace lookback::study
