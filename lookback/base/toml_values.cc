#include "lookback/base/toml_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "lookback/base/count.h"
#include "lookback/base/printable.h"
#include "lookback/base/result.h"

namespace lookback::base {
namespace {

std::string plain(double number) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return {buffer.data(), end};
}

std::string limits(std::string_view what, const std::string& min, const std::string& max) {
  return std::string(what) + " from " + min + " to " + max;
}

}  // namespace

std::string shown(const TomlValue& value) {
  constexpr std::size_t longest = 40;
  if (const auto* flag = std::get_if<bool>(&value.data)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    return std::to_string(*integer);
  }
  if (const auto* number = std::get_if<double>(&value.data)) return plain(*number);
  if (const auto* array = std::get_if<TomlArray>(&value.data)) {
    return "an array of " + std::to_string(array->size());
  }
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr) return "a table";
  return "\"" + printable(*text, longest) + "\"";
}

std::string between(std::string_view what, std::int64_t min, std::int64_t max) {
  return limits(what, std::to_string(min), std::to_string(max));
}

std::string between(std::string_view what, std::uint64_t min, std::uint64_t max) {
  return limits(what, std::to_string(min), std::to_string(max));
}

std::string between(std::string_view what, double min, double max) {
  return limits(what, plain(min), plain(max));
}

std::string one_of(std::span<const std::string> names) {
  std::string text = names.size() == 1 ? "" : "one of ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "\"" : ", \"") + names[i] + "\"";
  return text;
}

std::optional<std::int64_t> as_integer(const TomlValue& value, std::int64_t min, std::int64_t max) {
  const auto* integer = std::get_if<std::int64_t>(&value.data);
  if (integer == nullptr || *integer < min || *integer > max) return std::nullopt;
  return *integer;
}

std::optional<double> as_number(const TomlValue& value, double min, double max) {
  double number = 0.0;
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    number = static_cast<double>(*integer);
  } else if (const auto* floating = std::get_if<double>(&value.data)) {
    number = *floating;
  } else {
    return std::nullopt;
  }
  if (!std::isfinite(number) || number < min || number > max) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> as_count(const TomlValue& value, std::uint64_t min,
                                      std::uint64_t max) {
  std::uint64_t count = 0;
  if (const auto* integer = std::get_if<std::int64_t>(&value.data)) {
    if (*integer < 0) return std::nullopt;
    count = static_cast<std::uint64_t>(*integer);
  } else if (const auto* text = std::get_if<std::string>(&value.data)) {
    const Result<std::uint64_t> parsed = parse_count(*text);
    if (!parsed) return std::nullopt;
    count = *parsed;
  } else {
    return std::nullopt;
  }
  if (count < min || count > max) return std::nullopt;
  return count;
}

std::optional<std::string> as_text(const TomlValue& value, std::size_t max_length) {
  const auto* text = std::get_if<std::string>(&value.data);
  const auto is_control = [](char c) {
    return (c >= 0 && c < ' ' && c != '\t' && c != '\n') || c == 0x7f;
  };
  if (text == nullptr || text->size() > max_length ||
      std::any_of(text->begin(), text->end(), is_control)) {
    return std::nullopt;
  }
  return *text;
}

std::optional<std::string> as_choice(const TomlValue& value, std::span<const std::string> allowed) {
  const auto* text = std::get_if<std::string>(&value.data);
  if (text == nullptr || std::find(allowed.begin(), allowed.end(), *text) == allowed.end()) {
    return std::nullopt;
  }
  return *text;
}

std::string text_allowed(std::size_t max_length) {
  return "a text of at most " + std::to_string(max_length) + " bytes without control characters";
}

}  // namespace lookback::base
