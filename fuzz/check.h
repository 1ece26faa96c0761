// What a fuzz target demands of the code it feeds.
#pragma once

#include <cstdlib>
#include <string>

namespace lookback::fuzz {

/// Ends the process, which libFuzzer reports with the input that led here.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// As every error message should be.
inline bool is_one_line(const std::string& message) {
  return !message.empty() && message.find('\n') == std::string::npos;
}

}  // namespace lookback::fuzz
