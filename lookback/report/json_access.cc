#include "lookback/report/json_access.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace lookback::report {

double round_significant(double value, int digits) {
  if (value == 0.0 || !std::isfinite(value)) return value;
  const int exponent = digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value))));
  // Dividing by a power of ten rounds to the nearest short decimal; multiplying by 10^-n does not.
  const double scale = std::pow(10.0, std::abs(exponent));
  const double rounded =
      exponent >= 0 ? std::round(value * scale) / scale : std::round(value / scale) * scale;
  // At either end of the range of double the power, or the rounded number, is not finite.
  return std::isfinite(rounded) ? rounded : value;
}

std::string fixed_decimals(double value, int digits) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  const std::string_view shown = text.data();
  const bool zero = shown.find_first_not_of("-0.") == std::string_view::npos;
  return std::string(zero && shown.starts_with('-') ? shown.substr(1) : shown);
}

}  // namespace lookback::report
