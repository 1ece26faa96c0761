#include "lookback/base/count.h"

#include <limits>
#include <string>

#include "lookback/base/printable.h"

namespace lookback::base {
namespace {

constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// value * 10 + digit, or false when that does not fit.
bool append_digit(std::uint64_t& value, char digit) {
  const auto d = static_cast<std::uint64_t>(digit - '0');
  if (value > (largest - d) / 10) return false;
  value = value * 10 + d;
  return true;
}

/// Digits with single underscores between them, taken off the front of `text` into `value`.
bool take_digits(std::string_view& text, std::uint64_t& value) {
  bool after_digit = false;
  while (!text.empty()) {
    if (is_digit(text.front())) {
      if (!append_digit(value, text.front())) return false;
      after_digit = true;
    } else if (text.front() == '_' && after_digit && text.size() > 1 && is_digit(text[1])) {
      after_digit = false;
    } else {
      break;
    }
    text.remove_prefix(1);
  }
  return after_digit;
}

/// The power of ten that a suffix stands for; -1 for an unknown one.
int exponent_of(std::string_view suffix) {
  if (suffix.empty()) return 0;
  if (suffix == "k" || suffix == "K") return 3;
  if (suffix == "M") return 6;
  if (suffix == "G") return 9;
  return -1;
}

}  // namespace

Result<std::uint64_t> parse_count(std::string_view text) {
  const Error error{"found \"" + printable(text, 40) +
                    "\", allowed: a whole number below 2^64 such as 16384, 40_000_000 or 40M "
                    "(suffixes k, M, G)"};
  std::uint64_t value = 0;
  if (!take_digits(text, value)) return error;
  int fraction_digits = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    while (!text.empty() && is_digit(text.front())) {
      if (!append_digit(value, text.front())) return error;
      ++fraction_digits;
      text.remove_prefix(1);
    }
    if (fraction_digits == 0) return error;
  }
  int exponent = exponent_of(text);
  if (exponent < 0) return error;
  exponent -= fraction_digits;
  for (; exponent > 0; --exponent) {
    if (!append_digit(value, '0')) return error;
  }
  for (; exponent < 0; ++exponent) {
    if (value % 10 != 0) return error;  // a fraction that the suffix does not make whole
    value /= 10;
  }
  return value;
}

std::string count_text(std::uint64_t count) {
  if (count < 1000) return std::to_string(count);
  std::uint64_t tenth = 100, tenths = 0;
  const auto in_tenths = [&] { return count / tenth + (count % tenth >= tenth / 2 ? 1 : 0); };
  std::string_view suffixes = "kMG";
  // 1M, not 1000k.
  while ((tenths = in_tenths()) >= 10'000 && suffixes.size() > 1) {
    tenth *= 1000;
    suffixes.remove_prefix(1);
  }
  const std::string fraction = tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + fraction + suffixes.front();
}

}  // namespace lookback::base
