// What the seeds say of a claim's test: its figures, their mean and interval, and the verdict.
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

/// Fewer decide nothing: of two the interval is twelve standard errors to either side.
inline constexpr std::size_t least_seeds = 3;

/// Whether a run never came to a figure (quantities.h).
bool is_never(const Figure& figure);

/// The figures of one seed: the claim's, and the other's where there is one.
struct SeedFigures {
  std::uint64_t seed = 0;
  Figure figure;
  Figure other;
  bool has_diverged = false;  ///< a run of it: then it has no figures
};

struct SeedVerdict {
  SeedFigures figures;
  /// Of the figure and `times` the other, or of their logarithms; where both are numbers. The claim's
  /// `by` is what it must exceed.
  std::optional<double> difference;
  std::optional<bool> holds;  ///< none where a figure is missing that would decide it
};

struct TestResult {
  ClaimTest test;
  Verdict verdict = Verdict::not_decided;
  std::string reason;  ///< one sentence
  std::string figure;  ///< for lists: "0.171 [0.124, 0.218]", "0.0612 to never, holds in 2 of 3"
  bool logarithmic = false;
  DecidedBy decided_by =
      DecidedBy::mean;  ///< how it was decided, which may not be how it was asked
  std::vector<SeedVerdict> seeds;
  /// Of the figure, or of the difference from the other; of logarithms where they are
  /// logarithmic. Of the seeds that have it.
  lens::Estimate estimate;
  double standard_deviation = 0;             ///< over seeds; NaN of fewer than two
  std::size_t holds_in = 0, decided_in = 0;  ///< seeds
};

/// Decides a test over the seeds of a study. By the mean: supported where the interval of 95%
/// (Student's t over seeds) lies on the claim's side of the bound, contradicted where it lies on the
/// other, and the bound itself on neither. By every seed: supported where each holds, contradicted where
/// one does not. A run that never came to a figure counts as infinite, and leaves no mean: then all
/// seeds, five at least, must agree; two that never came leave their seed out. So do figures that are
/// missing or not numbers, and a run that diverged. Fewer seeds than least_seeds decide nothing.
TestResult decide(const ClaimTest& test, std::span<const SeedFigures> seeds);

/// Of the tests of one claim: contradicted by one that is, else not tested or undecided by one that
/// is, else supported.
Verdict verdict_of(std::span<const TestResult> tests);

}  // namespace lookback::study
