#include "lookback/language/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace lookback::language {
namespace {

// \s of the original is Unicode's White_Space. PCRE2's own \s holds U+180E too, so it is written
// out. Possessive where nothing after could ask for less: a run is never gone back over.
constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}++| ?\p{N}++| ?[^\t-\r\x{85}\p{Z}\p{L}\p{N}]++)"
    R"(|[\t-\r\x{85}\p{Z}]+(?![^\t-\r\x{85}\p{Z}])|[\t-\r\x{85}\p{Z}]++)";

std::uint8_t byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0;
}

/// Bytes of the UTF-8 character at `at`, 0 if there is none. Unicode 15, table 3-7.
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto within = [&](std::size_t i, int low, int high) {
    const std::uint8_t byte = byte_at(text, at + i);
    return byte >= low && byte <= high;
  };
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const int low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const int low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return within(1, low, high) && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t eight = 0;
    if (text.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, text.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080u) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::size_t count_stray_bytes(std::string_view text) {
  std::size_t count = 0;
  for (;;) {
    text.remove_prefix(valid_utf8_prefix(text));
    if (text.empty()) return count;
    text.remove_prefix(1);
    ++count;
  }
}

struct PreTokenizer::Code {
  explicit Code(pcre2_code* compiled)
      : pattern(compiled), jit(pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE) == 0) {}
  ~Code() { pcre2_code_free(pattern); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  pcre2_code* pattern;
  bool jit;
};

struct PreTokenizer::Matching {
  explicit Matching(std::shared_ptr<const Code> of) : code(std::move(of)) {
    if (data == nullptr) throw std::bad_alloc();
  }
  ~Matching() { pcre2_match_data_free(data); }
  Matching(const Matching&) = delete;
  Matching& operator=(const Matching&) = delete;

  std::shared_ptr<const Code> code;
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
};

Result<PreTokenizer> PreTokenizer::make() {
  int code = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* compiled = pcre2_compile(
      reinterpret_cast<PCRE2_SPTR>(gpt2_pattern.data()), gpt2_pattern.size(),
      PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C, &code, &offset, nullptr);
  if (compiled == nullptr) {
    return Error{"PCRE2 cannot compile GPT-2's pattern (its error " + std::to_string(code) +
                 "): a build with Unicode is needed"};
  }
  return PreTokenizer(std::make_shared<const Code>(compiled));
}

PreTokenizer::Pieces::Pieces(const PreTokenizer& splitter, std::string_view text)
    : matching_(std::make_unique<Matching>(splitter.code_)), text_(text) {
  find_valid_part();
}

PreTokenizer::Pieces::~Pieces() = default;

void PreTokenizer::Pieces::find_valid_part() {
  valid_end_ = at_ + valid_utf8_prefix(text_.substr(at_));
}

bool PreTokenizer::Pieces::next(std::string_view& piece) {
  if (at_ == text_.size()) return false;
  if (at_ == valid_end_) {
    piece = text_.substr(at_++, 1);
    find_valid_part();
    return true;
  }
  const std::string_view rest = text_.substr(at_, valid_end_ - at_);
  const auto* begin = reinterpret_cast<PCRE2_SPTR>(rest.data());
  pcre2_match_data* data = matching_->data;
  const pcre2_code* pattern = matching_->code->pattern;
  const int found =
      matching_->code->jit
          ? pcre2_jit_match(pattern, begin, rest.size(), 0, 0, data, nullptr)
          : pcre2_match(pattern, begin, rest.size(), 0, PCRE2_NO_UTF_CHECK, data, nullptr);
  // Every character begins a match; should PCRE2 fail (it ran out of memory), one character is
  // taken, so that no byte is lost.
  const std::size_t matched = found >= 0 ? pcre2_get_ovector_pointer(data)[1] : 0;
  std::size_t length = matched > 0 ? matched : character_length(rest, 0);
  if (length > longest_piece) {
    length = longest_piece;
    while ((byte_at(rest, length) & 0xC0) == 0x80) --length;  // not within a character
  }
  piece = rest.substr(0, length);
  at_ += length;
  return true;
}

}  // namespace lookback::language
