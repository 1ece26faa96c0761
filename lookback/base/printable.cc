#include "lookback/base/printable.h"

#include <algorithm>

#include "lookback/base/utf8.h"

namespace lookback::base {

std::string printable(std::string_view text, std::size_t longest) {
  std::size_t kept = std::min(text.size(), longest);
  // Not in the middle of a character.
  while (kept < text.size() && kept > 0 && continues_character(text[kept])) --kept;
  std::string result(text.substr(0, kept));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
  if (kept < text.size()) result += "...";
  return result;
}

}  // namespace lookback::base
