#include "lookback/study/arm_name.h"

#include <algorithm>

namespace lookback::study {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// "context=32", "learning_rate=1e-05", "optimizer.beta1=0.9".
bool is_coordinate(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view label = text.substr(0, equals), number = text.substr(equals + 1);
  const auto in_label = [](char c) { return is_plain(c) || c == '.'; };
  const auto in_number = [](char c) { return is_plain(c) || c == '.' || c == '+'; };
  return !label.empty() && is_plain(label.front()) && !number.empty() &&
         std::ranges::all_of(label, in_label) && std::ranges::all_of(number, in_number);
}

}  // namespace

bool is_arm_name(std::string_view name) {
  return !name.empty() && name != "figures" && std::ranges::all_of(name, is_plain);
}

bool is_arm_of_run(std::string_view name) {
  const std::size_t comma = name.find(',');
  const std::string_view first = name.substr(0, comma);
  if (!is_arm_name(first) && !is_coordinate(first)) return false;
  std::string_view rest = comma == std::string_view::npos ? "" : name.substr(comma);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t next = rest.find(',');
    if (!is_coordinate(rest.substr(0, next))) return false;
    rest = next == std::string_view::npos ? "" : rest.substr(next);
  }
  return true;
}

}  // namespace lookback::study
