#include "lookback/language/harness_text.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "lookback/language/python_text.h"

namespace lookback::language {
namespace {

struct Replacement {
  std::string_view from;
  std::string_view to;
};

constexpr auto before_brackets = std::to_array<Replacement>({{" @-@ ", "-"},
                                                             {" @,@ ", ","},
                                                             {" @.@ ", "."},
                                                             {" : ", ": "},
                                                             {" ; ", "; "},
                                                             {" . ", ". "},
                                                             {" ! ", "! "},
                                                             {" ? ", "? "},
                                                             {" , ", ", "}});

constexpr auto after_brackets = std::to_array<Replacement>({{"= = = =", "===="},
                                                            {"= = =", "==="},
                                                            {"= =", "=="},
                                                            {" \xC2\xB0 ", "\xC2\xB0"},
                                                            {" \n", "\n"},
                                                            {"\n ", "\n"},
                                                            {" N ", " 1 "},
                                                            {" 's", "'s"}});

/// re.sub(r"\[.*?\]", "", text)
std::string without_brackets(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t open = text.find('[');
    const std::size_t end = open == text.npos ? open : text.find_first_of("]\n", open);
    if (end == text.npos) break;
    // A bracket that is not closed on its line stays, with what follows it.
    const std::size_t kept = text[end] == ']' ? open : end + 1;
    result.append(text.substr(0, kept));
    text.remove_prefix(end + 1);
  }
  return result.append(text);
}

/// re.sub(r"\(\s*([^\)]*?)\s*\)", r"(\1)", text), for any two delimiters: the first `close` after
/// an `open` ends it.
std::string strip_between(std::string_view text, char open, char close) {
  std::string result;
  while (!text.empty()) {
    const std::size_t start = text.find(open);
    const std::size_t end = start == text.npos ? start : text.find(close, start + 1);
    if (end == text.npos) break;
    result.append(text.substr(0, start + 1));
    result.append(strip(text.substr(start + 1, end - start - 1))).push_back(close);
    text.remove_prefix(end + 1);
  }
  return result.append(text);
}

/// re.sub(r"/' [0-9]/", r"/'[0-9]/", text): the harness writes slashes and a character class into
/// the result, surely by mistake, and we do the same.
std::string replace_quoted_digit(std::string_view text) {
  constexpr std::string_view start = "/' ";
  std::string result;
  while (!text.empty()) {
    const std::size_t at = text.find(start);
    if (at == text.npos || at + start.size() + 1 >= text.size()) break;
    const char digit = text[at + start.size()];
    const bool found = digit >= '0' && digit <= '9' && text[at + start.size() + 1] == '/';
    // If this is no match, the next may begin one character later.
    result.append(text.substr(0, found ? at : at + 1)).append(found ? "/'[0-9]/" : "");
    text.remove_prefix(found ? at + start.size() + 2 : at + 1);
  }
  return result.append(text);
}

bool is_title(std::string_view line) {
  const std::string joined = replace_all(replace_all(line, "= = =", "==="), "= =", "==");
  const std::string_view text = strip(joined);
  return text.starts_with("= ") && text.ends_with(" =");
}

}  // namespace

std::string clean_hellaswag(std::string_view text) {
  const std::string titled = replace_all(strip(text), " [title]", ". ");
  return replace_all(without_brackets(titled), "  ", " ");
}

std::vector<std::string_view> wikitext_pages(std::string_view text) {
  std::vector<std::string_view> pages;
  const auto add = [&pages](std::string_view page) {
    if (!strip(page).empty()) pages.push_back(page);
  };
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (at > start && is_title(text.substr(at, end - at))) {
      add(text.substr(start, at - 1 - start));
      start = at;
    }
    at = end + 1;
  }
  add(text.substr(start));
  return pages;
}

std::string detokenize_wikitext(std::string_view page) {
  std::string text = replace_quoted_digit(replace_all(page, "s '", "s'"));
  for (const auto& [from, to] : before_brackets) text = replace_all(text, from, to);
  text = strip_between(text, '(', ')');
  text = strip_between(text, '[', ']');
  text = strip_between(text, '{', '}');
  text = strip_between(text, '"', '"');
  text = strip_between(text, '\'', '\'');
  for (const auto& [from, to] : after_brackets) text = replace_all(text, from, to);
  return text;
}

}  // namespace lookback::language
