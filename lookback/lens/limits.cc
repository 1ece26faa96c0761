#include "lookback/lens/limits.h"

#include <fmt/format.h>

namespace lookback::lens {

bool within_limit(std::string_view what, std::size_t found, std::string_view counted,
                  std::size_t limit, std::vector<std::string>& skipped) {
  if (found <= limit) return true;
  skipped.push_back(
      fmt::format("{}: found {} {}, allowed at most {}", what, found, counted, limit));
  return false;
}

}  // namespace lookback::lens
