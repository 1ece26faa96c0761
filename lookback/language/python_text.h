// Text as Python's str treats it: the rules of the evaluation harness are Python programs, and
// their prompts must come out the same here. A text is UTF-8; a position is a byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lookback::language {

/// text.strip() and text.rstrip(), within the text: without the characters of str.isspace().
std::string_view strip(std::string_view text);
std::string_view strip_end(std::string_view text);

/// len(re.split(r"\s+", text)): one more than there are runs of white space.
std::size_t count_words(std::string_view text);

/// text.replace(from, to): every occurrence, left to right, none overlapping. REQUIRES a `from`.
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

/// text.capitalize(): the first character in upper case, the others in lower case, one character
/// for each (Python turns a few into two letters, such as the sharp s). What is not UTF-8 stays as
/// it is.
std::string capitalize(std::string_view text);

}  // namespace lookback::language
