// Where in a document a key belongs that stands in the wrong table.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "lookback/base/toml_table.h"

namespace lookback::base {

/// The path of a table without the numbers of its arrays: "arm[2].model" -> "arm[].model".
std::string without_numbers(std::string_view path);

/// The tables that have the key, in words: "in [train]", "in [[arm]] or at the top of the file". Of
/// those below the table `from`, in which it stands, the ones nearest to it; of others, if there is
/// none below, all. Nothing when no table has it.
std::optional<std::string> place_of(std::string_view key, std::string_view from,
                                    std::initializer_list<const KnownKeys*> known);

}  // namespace lookback::base
