#include "lookback/report/json_access.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace lookback::report {

const nlohmann::json* find_value(const nlohmann::json& value,
                                 std::initializer_list<std::string_view> path) {
  const nlohmann::json* found = &value;
  for (const std::string_view key : path) {
    if (!found->is_object()) return nullptr;
    const auto member = found->find(std::string(key));
    if (member == found->end()) return nullptr;
    found = &*member;
  }
  return found;
}

std::optional<double> find_number(const nlohmann::json& value,
                                  std::initializer_list<std::string_view> path) {
  const nlohmann::json* found = find_value(value, path);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  const double number = found->get<double>();
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> find_count(const nlohmann::json& value,
                                        std::initializer_list<std::string_view> path) {
  const nlohmann::json* found = find_value(value, path);
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  if (!found->is_number_unsigned() && found->get<std::int64_t>() < 0) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::string find_text(const nlohmann::json& value, std::initializer_list<std::string_view> path) {
  const nlohmann::json* found = find_value(value, path);
  if (found == nullptr || !found->is_string()) return {};
  return found->get<std::string>();
}

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
