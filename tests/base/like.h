// Messages held against their form: place, key and values, not wording.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

namespace lookback::test {

/// Whether the text has the form of the pattern, in which * stands for any words, none included.
inline testing::AssertionResult like(std::string_view text, std::string_view pattern) {
  const testing::AssertionResult unlike = testing::AssertionFailure()
                                          << text << "\n  is not like: " << pattern;
  std::string_view rest = text;
  bool anywhere = false;
  while (true) {
    const std::size_t star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    const bool is_last = star == std::string_view::npos;
    if (is_last && anywhere) return rest.ends_with(piece) ? testing::AssertionSuccess() : unlike;
    const std::size_t at = anywhere ? rest.find(piece) : rest.starts_with(piece) ? 0 : rest.npos;
    if (at == rest.npos) return unlike;
    rest.remove_prefix(at + piece.size());
    if (is_last) return rest.empty() ? testing::AssertionSuccess() : unlike;
    pattern.remove_prefix(star + 1);
    anywhere = true;
  }
}

}  // namespace lookback::test
