// "Did you mean": the known name closest to a misspelled one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lookback::base {

/// Smallest number of insertions, deletions, substitutions and exchanges of two neighbors that turn
/// `a` into `b` (optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the smallest distance, the first among equals; none if even that one differs
/// in more than a third of the letters of the longer name, rounded up.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> candidates);

}  // namespace lookback::base
