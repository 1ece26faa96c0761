// Reading JSON in which any field may be missing or have the wrong type: nothing here throws.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lookback::base {

/// The value reached from `value` by the keys of `path`, or null if a key or an object is missing.
const nlohmann::json* find_value(const nlohmann::json& value,
                                 std::initializer_list<std::string_view> path);

/// The finite number at `path`; nothing for a missing, null, infinite or non-numeric value.
std::optional<double> find_number(const nlohmann::json& value,
                                  std::initializer_list<std::string_view> path);

/// The non-negative integer at `path`; nothing for any other value.
std::optional<std::uint64_t> find_count(const nlohmann::json& value,
                                        std::initializer_list<std::string_view> path);

/// The string at `path`, or an empty one.
std::string find_text(const nlohmann::json& value, std::initializer_list<std::string_view> path);

/// The array at `path`, or an empty one, so that it can be looped over.
const nlohmann::json& find_array(const nlohmann::json& value,
                                 std::initializer_list<std::string_view> path);

}  // namespace lookback::base
