#include "lookback/base/json_access.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace lookback::base {

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

const nlohmann::json& find_array(const nlohmann::json& value,
                                 std::initializer_list<std::string_view> path) {
  static const nlohmann::json none = nlohmann::json::array();
  const nlohmann::json* found = find_value(value, path);
  return found != nullptr && found->is_array() ? *found : none;
}

}  // namespace lookback::base
