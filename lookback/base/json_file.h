// JSON of other hands: limited in size and in depth.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "lookback/base/result.h"

namespace lookback::base {

/// Arrays and objects within one another that are read at most. Copying and writing a value goes
/// down into it by calls, so a deeper one could exhaust the stack of whoever uses it.
inline constexpr std::size_t deepest_json = 64;

/// Whether more than `deepest_json` brackets are open at once in a text. What is not JSON may be
/// judged either way.
bool is_too_deep(std::string_view text);

/// The value of a text; discarded (is_discarded()) where it is not JSON or too deep.
nlohmann::json parse_json(std::string_view text);

/// The object in a file. Errors, which name the file: it cannot be read, has over `max_bytes`, is
/// too deep, or is not a whole JSON object.
Result<nlohmann::json> read_json_object(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace lookback::base
