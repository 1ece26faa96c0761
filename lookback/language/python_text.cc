#include "lookback/language/python_text.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstdint>
#include <memory>

#include "lookback/base/require.h"
#include "lookback/base/utf8.h"

namespace lookback::language {
namespace {

/// The characters beyond ASCII for which str.isspace() is true: U+0085, 00A0, 1680, 2000-200A,
/// 2028, 2029, 202F, 205F and 3000.
constexpr std::string_view wide_spaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\x09' && c <= '\x0D') || (c >= '\x1C' && c <= '\x1F');
}

/// The bytes of the space that a text begins with; 0 if it begins with anything else.
std::size_t space_at_start(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.front())) return 1;
  for (const std::string_view space : wide_spaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::size_t space_at_end(std::string_view text) {
  if (text.empty()) return 0;
  if (is_ascii_space(text.back())) return 1;
  for (const std::string_view space : wide_spaces) {
    if (text.ends_with(space)) return space.size();
  }
  return 0;
}

struct FreePattern {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using CasePattern = std::unique_ptr<pcre2_code, FreePattern>;

PCRE2_SPTR units_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

}  // namespace

std::string_view strip_end(std::string_view text) {
  while (const std::size_t size = space_at_end(text)) text.remove_suffix(size);
  return text;
}

std::string_view strip(std::string_view text) {
  while (const std::size_t size = space_at_start(text)) text.remove_prefix(size);
  return strip_end(text);
}

std::size_t count_words(std::string_view text) {
  std::size_t words = 1;
  bool in_space = false;
  while (!text.empty()) {
    const std::size_t space = space_at_start(text);
    if (space != 0 && !in_space) ++words;
    in_space = space != 0;
    text.remove_prefix(in_space ? space : 1);
  }
  return words;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  LOOKBACK_REQUIRE(!from.empty());
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from)) {
    result.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
}

std::string capitalize(std::string_view text) {
  if (!base::count_code_points(text)) return std::string(text);
  int error = 0;
  std::size_t offset = 0;
  constexpr std::string_view pattern = "^(.)(.*)$";
  constexpr std::uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY;
  const CasePattern code(
      pcre2_compile(units_of(pattern), pattern.size(), options, &error, &offset, nullptr));
  constexpr std::string_view replacement = R"(\u$1\L$2)";
  // Changing case may change a character's number of bytes, which is at most four.
  std::string result(4 * text.size() + 1, '\0');
  std::size_t size = result.size();
  const int replaced =
      code ? pcre2_substitute(code.get(), units_of(text), text.size(), 0, PCRE2_SUBSTITUTE_EXTENDED,
                              nullptr, nullptr, units_of(replacement), replacement.size(),
                              reinterpret_cast<PCRE2_UCHAR*>(result.data()), &size)
           : 0;
  if (replaced < 1) return std::string(text);
  result.resize(size);
  return result;
}

}  // namespace lookback::language
