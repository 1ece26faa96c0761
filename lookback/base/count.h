// Counts as people write them: 16384, 40_000_000, 40M.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lookback/base/result.h"

namespace lookback::base {

/// A whole number: digits with single underscores between them, an optional decimal fraction and an
/// optional suffix k, M or G (10^3, 10^6, 10^9; K counts as k). "2.5M" is 2500000; "1.5" and
/// "0.0001k" are errors because they are not whole numbers, and so is a number that does not fit 64
/// bits.
Result<std::uint64_t> parse_count(std::string_view text);

/// A count for a person: 900, 512k, 1.6M, 2M, 1.2G, rounded to one decimal.
std::string count_text(std::uint64_t count);

}  // namespace lookback::base
