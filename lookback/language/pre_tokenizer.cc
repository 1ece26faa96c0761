#include "lookback/language/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "lookback/base/utf8.h"

namespace lookback::language {
namespace {

// \s of the original is Unicode's White_Space. PCRE2's own \s also contains U+180E, so the class is
// written out. Quantifiers are possessive where nothing after them could need fewer characters, so
// no run is backtracked.
constexpr std::string_view gpt2_pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}++| ?\p{N}++| ?[^\t-\r\x{85}\p{Z}\p{L}\p{N}]++)"
    R"(|[\t-\r\x{85}\p{Z}]+(?![^\t-\r\x{85}\p{Z}])|[\t-\r\x{85}\p{Z}]++)";

}  // namespace

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
                     "): a build with Unicode is needed",
                 ErrorKind::failed};
  }
  return PreTokenizer(std::make_shared<const Code>(compiled));
}

PreTokenizer::Pieces::Pieces(const PreTokenizer& splitter, std::string_view text)
    : matching_(std::make_unique<Matching>(splitter.code_)), text_(text) {
  find_valid_part();
}

PreTokenizer::Pieces::~Pieces() = default;

void PreTokenizer::Pieces::find_valid_part() {
  valid_end_ = at_ + base::valid_utf8_prefix(text_.substr(at_));
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
  // Every character begins a match; if PCRE2 fails (for lack of memory), one character is taken, so
  // that no byte is lost.
  const std::size_t matched = found >= 0 ? pcre2_get_ovector_pointer(data)[1] : 0;
  std::size_t length = matched > 0 ? matched : base::character_length(rest, 0);
  if (length > longest_piece) {
    length = longest_piece;
    while (base::continues_character(rest[length])) --length;  // not within a character
  }
  piece = rest.substr(0, length);
  at_ += length;
  return true;
}

}  // namespace lookback::language
