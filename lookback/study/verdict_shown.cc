// A verdict's numbers as they are shown: in the words of the claim, beside the claim's bound.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lookback/study/verdict.h"

namespace lookback::study {
namespace {

constexpr double not_there = std::numeric_limits<double>::quiet_NaN();

std::optional<double> number_in(const Figure& figure) {
  const double* number = std::get_if<double>(&figure);
  return number != nullptr && std::isfinite(*number) ? std::optional<double>(*number)
                                                     : std::nullopt;
}

/// "1.1 times that of wd-0", without an added number, asks for a ratio, even for measures that may
/// be 0 or less and are decided by their difference.
bool asks_for_ratio(const ClaimTest& test) {
  return test.against_other && test.times != 1 && test.by == 0;
}

/// The ratio of means with the bound at `times`. Its interval lies on one side of `times` exactly
/// when that of the difference from `times` the other lies on that side of 0, so it shows the same
/// verdict.
std::optional<Shown> linear_ratio(const TestResult& result) {
  std::vector<double> values, others;
  for (const SeedVerdict& seed : result.seeds) {
    if (!seed.difference) continue;
    values.push_back(*number_in(seed.figures.figure));
    others.push_back(*number_in(seed.figures.other));
  }
  const auto ratio = lens::ratio_of_means(values, others);
  if (!ratio) return std::nullopt;
  Bounds bounds = bounds_of(result.test);
  for (auto* bound : {&bounds.low, &bounds.high}) {
    if (*bound) *bound = result.test.times;
  }
  return Shown{Shown::What::ratio, ratio->ratio, ratio->lower, ratio->upper, bounds};
}

Shown shown_of(const TestResult& result) {
  if (asks_for_ratio(result.test) && !result.logarithmic) {
    if (const auto ratio = linear_ratio(result)) return *ratio;
  }
  const lens::Estimate& e = result.estimate;
  Shown shown{Shown::What::figure, e.mean, e.lower(), e.upper(), bounds_of(result.test)};
  if (result.test.against_other) {
    shown.what = result.logarithmic ? Shown::What::ratio : Shown::What::difference;
  }
  if (result.logarithmic) {
    for (double* value : {&shown.mean, &shown.lower, &shown.upper}) *value = std::exp(*value);
  }
  return shown;
}

/// "×", "difference", "difference from 3 × narrow", each with a space; nothing before a measure
/// alone.
std::string prefix_of(const TestResult& result) {
  if (result.shown.what == Shown::What::figure) return "";
  if (result.shown.what == Shown::What::ratio) return "\u00d7 ";
  if (result.test.times == 1) return "difference ";
  return fmt::format("difference from {:g} \u00d7 {} ", result.test.times, other_name(result.test));
}

std::string_view unit_of(const TestResult& result) {
  const bool has_unit = result.shown.what != Shown::What::ratio;
  return has_unit ? find_quantity(result.test.finding)->unit : std::string_view();
}

/// The range over seeds of what they decide on: "0.0612 to 0.0718", "× 0.812 to 0.934".
std::string range_of_effects(const TestResult& result) {
  std::vector<double> effects;
  for (const SeedVerdict& seed : result.seeds) {
    if (const auto effect = effect_of(result, seed)) effects.push_back(*effect);
  }
  if (effects.empty()) return "none";
  const auto [least, most] = std::ranges::minmax(effects);
  const std::string first = shown_number(least, unit_of(result));
  const std::string last = shown_number(most, unit_of(result));
  return prefix_of(result) + (first == last ? first : first + " to " + last);
}

/// If a run never reached it: the arm's own values, "6.77M to never", "never".
std::string range_to_never(const TestResult& result) {
  const std::string_view unit = find_quantity(result.test.finding)->unit;
  double least = not_there, most = not_there;
  bool came_always = true;
  for (const SeedVerdict& seed : result.seeds) {
    if (seed.figures.has_diverged) continue;
    came_always = came_always && !is_never(seed.figures.figure);
    const std::optional<double> value = number_in(seed.figures.figure);
    if (!value) continue;
    least = std::fmin(least, *value);
    most = std::fmax(most, *value);
  }
  if (std::isnan(least)) return came_always ? "none" : "never";
  const std::string first = shown_number(least, unit);
  const std::string last = came_always ? shown_number(most, unit) : "never";
  return first == last ? first : first + " to " + last;
}

std::string figure_text(const TestResult& result) {
  if (some_never_came(result)) return range_to_never(result);
  if (result.test.relation == Relation::is) {
    return fmt::format("{} in {} of {} seeds", result.test.word, result.holds_in,
                       result.decided_in);
  }
  if (result.test.decided_by == DecidedBy::every_seed) return range_of_effects(result);
  if (result.estimate.count == 0) return "no figure";
  const auto number = [&](double value) { return shown_number(value, unit_of(result)); };
  std::string mean = prefix_of(result) + number(result.shown.mean);
  if (!std::isfinite(result.shown.lower)) return mean;
  return fmt::format("{} [{}, {}]", mean, number(result.shown.lower), number(result.shown.upper));
}

}  // namespace

const char* name_of(Shown::What what) {
  constexpr const char* names[] = {"", "ratio", "difference"};
  return names[static_cast<std::size_t>(what)];
}

std::optional<double> effect_of(const TestResult& result, const SeedVerdict& seed) {
  if (seed.figures.has_diverged) return std::nullopt;
  const std::optional<double> value = number_in(seed.figures.figure);
  if (result.shown.what == Shown::What::figure) return value;
  if (!seed.difference) return std::nullopt;
  if (result.logarithmic) return std::exp(*seed.difference);
  if (result.shown.what == Shown::What::difference) return seed.difference;
  const double other = *number_in(seed.figures.other);
  return other == 0 ? std::nullopt : std::optional<double>(*value / other);
}

void show(TestResult& result) {
  result.shown = shown_of(result);
  result.figure = figure_text(result);
}

}  // namespace lookback::study
