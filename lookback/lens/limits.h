// Analyses that would run for hours on a large model are skipped and reported.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lookback::lens {

/// Whether this many are within the limit; if not, a line in `skipped` says what is skipped:
/// "paths: found 24 heads, allowed at most 16".
bool within_limit(std::string_view what, std::size_t found, std::string_view counted,
                  std::size_t limit, std::vector<std::string>& skipped);

}  // namespace lookback::lens
