// Claims in words.
#include <fmt/format.h>

#include <cmath>

#include "lookback/study/claim.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

constexpr double giga = 1e9, mega = 1e6;
constexpr double least_mega = 1e5;  ///< tokens from here on are shown as 0.1M

/// A number of the study file as it was given: 0.1, or 20M for tokens.
std::string stated(double value, std::string_view unit) {
  const double size = std::abs(value);
  if (unit == "tokens" && size >= giga) return fmt::format("{:g}G", value / giga);
  if (unit == "tokens" && size >= least_mega) return fmt::format("{:g}M", value / mega);
  return fmt::format("{:g}", value);
}

/// The words after "that of ...": what the other measure is.
std::string other_in_words(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.other_finding);
  std::string words = test.times == 1 ? "" : fmt::format("{} times ", stated(test.times, ""));
  if (test.other_finding == test.finding) {
    words += "that of " + test.other_arm;
  } else {
    words += quantity == nullptr ? test.other_finding : std::string(quantity->says);
    if (test.other_arm != test.arm) words += " in " + test.other_arm;
  }
  if (test.by != 0) {
    const std::string unit(quantity == nullptr ? "" : quantity->unit);
    words += fmt::format(" {} {}", test.by > 0 ? "plus" : "minus", stated(std::abs(test.by), unit));
  }
  return words;
}

/// "within 10% of that of ov", "within 0.1 nats of first-half loss at the end": a measure compared
/// by ratio is within a share of the other, one compared by difference within an amount.
std::string nearness_in_words(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.finding);
  if (quantity == nullptr || find_quantity(test.other_finding) == nullptr) return "";
  constexpr double percent = 100;
  std::string band = stated(test.within, quantity->unit);
  if (is_by_ratio(test)) {
    band = fmt::format("{:g}%", percent * test.within);
  } else if (!quantity->unit.empty()) {
    band += fmt::format(" {}", quantity->unit);
  }
  return fmt::format("within {} of {}", band, other_in_words(test));
}

}  // namespace

std::string shown_number(double value, std::string_view unit) {
  const double size = std::abs(value);
  if (unit == "tokens" && size >= giga) return shown_number(value / giga, "") + "G";
  if (unit == "tokens" && size >= least_mega) return shown_number(value / mega, "") + "M";
  if (value == 0) return "0";
  constexpr double least_plain = 1e-4;
  if (size < least_plain) return fmt::format("{:.2e}", value);
  int decimals = 0;
  for (double limit = 100; size < limit; limit /= 10) ++decimals;
  return fmt::format("{:.{}f}", value, decimals);
}

std::string sentence_of(const ClaimTest& test) {
  const Quantity* quantity = find_quantity(test.finding);
  const std::string unit(quantity == nullptr ? "" : quantity->unit);
  const std::string of_arm = test.arm.empty() ? "" : test.arm + ": ";
  std::string words = of_arm + (quantity == nullptr ? test.finding : std::string(quantity->says));
  if (!test.probe.empty()) words += " on " + test.probe;
  switch (test.relation) {
    case Relation::above:
    case Relation::below:
      return words +
             fmt::format(" is {} {}", name_of(test.relation),
                         test.against_other ? other_in_words(test) : stated(test.low, unit));
    case Relation::within:
      return words + " is " + nearness_in_words(test);
    case Relation::between:
      return words +
             fmt::format(" is between {} and {}", stated(test.low, unit), stated(test.high, unit));
    case Relation::is:
      return words + " is " + test.word;
    case Relation::present:
      return words + " exists";
    case Relation::absent:
      return words + " does not exist";
    case Relation::exponent:
      return words + fmt::format(" is proportional to {}^p, p between {} and {}", test.law->key,
                                 stated(test.low, ""), stated(test.high, ""));
  }
  return words;
}

std::string other_name(const ClaimTest& test) {
  if (!test.against_other) return "";
  std::string words;
  if (test.other_finding != test.finding) words += test.other_finding;
  if (test.other_finding != test.finding && test.other_arm != test.arm) words += " of ";
  if (test.other_arm != test.arm) words += test.other_arm;
  return words;
}

std::string against_of(const ClaimTest& test) {
  if (test.relation == Relation::is) return test.word;
  if (test.relation == Relation::between || test.relation == Relation::exponent) {
    return fmt::format("{} to {}", test.low, test.high);
  }
  if (test.relation == Relation::within) {
    constexpr double percent = 100;
    const std::string band = is_by_ratio(test) ? fmt::format("{:g}%", percent * test.within)
                                               : fmt::format("{}", test.within);
    return fmt::format("{} \u00b1 {}", other_name(test), band);
  }
  if (test.relation != Relation::above && test.relation != Relation::below) return "";
  if (!test.against_other) return fmt::format("{}", test.low);
  std::string words = test.times == 1 ? "" : fmt::format("{:g} times ", test.times);
  words += other_name(test);
  if (test.by != 0) words += fmt::format(" {} {:g}", test.by > 0 ? "+" : "-", std::abs(test.by));
  return words;
}

}  // namespace lookback::study
