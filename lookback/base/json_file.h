// JSON in files. Everything read is untrusted, so size and depth have limits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "lookback/base/result.h"

namespace lookback::base {

/// The deepest nesting of arrays and objects that is read. Copying and writing a value recurses
/// into it, so a deeper one could exhaust its user's stack.
inline constexpr std::size_t deepest_json = 64;

/// The largest JSON file of lookback in bytes: nothing larger is written, so whatever is written
/// can be read.
inline constexpr std::size_t largest_json = std::size_t{1} << 28;

/// Whether more than `deepest_json` brackets are open at once in a text. For text that is not JSON
/// the answer may be either.
bool is_too_deep(std::string_view text);

/// The value of a text; discarded (is_discarded()) if it is not JSON or is nested too deeply.
nlohmann::json parse_json(std::string_view text);

/// The object in a file. Errors, which name the file: it cannot be read, has over `max_bytes`, is
/// too deep, or is not a whole JSON object.
Result<nlohmann::json> read_json_object(const std::filesystem::path& path,
                                        std::size_t max_bytes = largest_json);

/// write_file_atomically of a JSON text. Errors: also more than `max_bytes`.
Status write_json_text(const std::filesystem::path& path, std::string_view text,
                       std::size_t max_bytes = largest_json);

}  // namespace lookback::base
