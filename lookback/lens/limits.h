// Analyses that a large model would keep running for hours are left out, and told.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lookback::lens {

/// Whether so many are within the limit; else a line in `skipped` says what is left out:
/// "paths: found 24 heads, allowed at most 16".
bool within_limit(std::string_view what, std::size_t found, std::string_view counted,
                  std::size_t limit, std::vector<std::string>& skipped);

}  // namespace lookback::lens
