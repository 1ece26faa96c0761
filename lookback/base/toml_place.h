// Where in a document a key belongs if it is in the wrong table.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "lookback/base/toml_table.h"

namespace lookback::base {

/// The path of a table without the numbers of its arrays: "arm[2].model" -> "arm[].model".
std::string without_numbers(std::string_view path);

/// The tables that have the key, in words: "in [train]", "in [[arm]] or at the top of the file".
/// Names the nearest of those below the table `from`, which contains the key; if there is none
/// below, all others. Nothing if no table has it.
std::optional<std::string> place_of(std::string_view key, std::string_view from,
                                    std::initializer_list<const KnownKeys*> known);

}  // namespace lookback::base
