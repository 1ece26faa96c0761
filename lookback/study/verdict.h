// What the seeds say about a claim's test: its measures, their mean and interval, and the verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/lens/estimate.h"
#include "lookback/study/claim.h"
#include "lookback/study/quantities.h"

namespace lookback::study {

enum class Verdict { supported, contradicted, not_decided, not_tested };
/// "supported", "contradicted", "not decided", "not tested at this size".
const char* name_of(Verdict verdict);

/// Fewer decide nothing: with two, the interval extends twelve standard errors to either side.
inline constexpr std::size_t least_seeds = 3;

/// Whether a run never reached the event of a measure (quantities.h).
bool is_never(const Figure& figure);

/// The measures of one seed: the claim's, and the other if there is one.
struct SeedFigures {
  std::uint64_t seed = 0;
  Figure figure;
  Figure other;
  bool has_diverged = false;  ///< a run of it: then it has no figures
};

struct SeedVerdict {
  SeedFigures figures;
  /// If both are numbers: the logarithm of the measure's ratio to the other if the test is
  /// logarithmic, otherwise the measure minus `times` the other.
  std::optional<double> difference;
  std::optional<bool> holds;  ///< none where a figure is missing that would decide it
};

/// The bounds above (only low), below (only high), or between which a value must lie: the measure
/// itself, its ratio to the other if the test is logarithmic (`times`, or 1 -+ within), or its
/// difference from `times` the other (`by`, or -+ within). None for a word and for presence. A band
/// includes its edges, a single bound does not.
struct Bounds {
  std::optional<double> low, high;
  bool is_band() const { return low && high; }
};
Bounds bounds_of(const ClaimTest& test);

/// A measure, or the comparison of two, as it is shown: the mean over seeds with its 95% interval,
/// NaN if there is none, and the bounds that the test sets.
struct Shown {
  enum class What {
    figure,      ///< one figure: nothing is compared
    ratio,       ///< to the other figure itself; of means where the test is not logarithmic
    difference,  ///< from `times` the other
  };
  What what = What::figure;
  double mean = 0, lower = 0, upper = 0;
  Bounds bounds;
};
/// "ratio", "difference"; empty for a measure alone.
const char* name_of(Shown::What what);

/// A run of a power law.
struct LawRun {
  std::string arm;
  double at = 0;  ///< the swept number
  std::uint64_t seed = 0;
  bool has_ended = true, has_diverged = false;
  Figure figure;
};

/// figure = factor * at^exponent, fitted by least squares of logarithms over the runs that have the
/// figure, each run a point.
struct FittedLaw {
  std::vector<LawRun> runs;  ///< all of them
  std::size_t fitted = 0;    ///< how many have the figure, as a number above 0
  /// NaN where there is no fit. The interval is of 95%, Student's t of fitted - 2 degrees of freedom.
  double exponent = 0, lower = 0, upper = 0;
  double factor = 0;
  double spread = 0;  ///< the factor exp(s), with s the standard deviation about the line
};

struct TestResult {
  ClaimTest test;
  Verdict verdict = Verdict::not_decided;
  std::string reason;  ///< one sentence
  std::string figure;  ///< for lists: "× 1.08 [1.03, 1.13]", "0.0612 to never"
  bool logarithmic = false;
  DecidedBy decided_by =
      DecidedBy::mean;  ///< how it was decided, which may not be how it was asked
  std::vector<SeedVerdict> seeds;
  /// Over the measure, or over `difference`; in logarithms if the test is logarithmic. Over the
  /// seeds that have it.
  lens::Estimate estimate;
  double standard_deviation = 0;             ///< over seeds; NaN of fewer than two
  Shown shown;                               ///< the same in the words of the claim
  std::size_t holds_in = 0, decided_in = 0;  ///< seeds
  std::optional<FittedLaw> law;  ///< of an exponent; `seeds` are then the fits of each seed
};

/// Whether a seed has a measure that its run never reached: then there is no mean.
bool some_never_came(const TestResult& result);

/// What is shown of one seed beside shown.bounds: its measure, ratio or difference. None if a value
/// is missing or not a number.
std::optional<double> effect_of(const TestResult& result, const SeedVerdict& seed);

/// Decides a test over the seeds of a study. By the mean: supported if the 95% interval (Student's
/// t over seeds) lies on the claim's side of the bound or inside the band, contradicted if it lies
/// on the other side or outside (bounds_of). By every seed: supported if it holds in all,
/// contradicted if it fails in one. A run that never reached the event counts as infinite, and
/// leaves no mean: then all seeds, at least five, must agree; two runs that never reached it
/// exclude their seed. So do values that are missing or not numbers, and a run that diverged. Fewer
/// seeds than least_seeds decide nothing.
TestResult decide(const ClaimTest& test, std::span<const SeedFigures> seeds);

/// Decides a power law: supported where the interval of the exponent lies inside the band, contradicted
/// where it lies outside. Not decided while runs have not ended, where a run has no figure (it never came to
/// it, diverged, or is not above 0) unless the claim skips those, and of fewer than least_seeds seeds or
/// three values. Each seed's own exponent is its figure. REQUIRES a test with a law.
TestResult decide_law(const ClaimTest& test, std::span<const LawRun> runs);

/// Fills in result.shown and result.figure from the rest.
void show(TestResult& result);

/// Combines the tests of one claim: contradicted if any is, otherwise not tested or not decided if
/// any is, otherwise supported.
Verdict verdict_of(std::span<const TestResult> tests);

}  // namespace lookback::study
