// Counts as people write them: 16384, 40_000_000, 40M.
#pragma once

#include <cstdint>
#include <string_view>

#include "lookback/base/result.h"

namespace lookback::base {

/// A whole number: digits with single underscores between them, an optional decimal fraction and an
/// optional suffix k, M or G (10^3, 10^6, 10^9; K counts as k). "2.5M" is 2500000; "1.5" and
/// "0.0001k" are errors, being no whole numbers, and so is what does not fit 64 bits.
Result<std::uint64_t> parse_count(std::string_view text);

}  // namespace lookback::base
