// Any bytes as a file of a vocabulary or of tokens, and as a text: the first byte says as which.
// Refused in one line, or read into what encodes any text and gives it back.
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "lookback/language/gpt2_files.h"
#include "lookback/language/tiktoken_file.h"
#include "lookback/language/token_file.h"
#include "lookback/language/tokenizer.h"
#include "lookback/language/tokenizer_json.h"

namespace lookback::fuzz {
namespace {

using language::Token;

/// A vocabulary that was read: it may be refused still, or it works.
void check_vocabulary(const Result<language::Vocabulary>& vocabulary, std::string_view text) {
  if (!vocabulary) return require(is_one_line(vocabulary.error().message));
  const auto tokenizer = language::Tokenizer::make(*vocabulary);
  if (!tokenizer) return require(is_one_line(tokenizer.error().message));
  for (const auto specials : {language::Specials::as_text, language::Specials::as_tokens}) {
    const auto decoded = tokenizer->decode(tokenizer->encode(text, specials));
    require(decoded && *decoded == text);
  }
  const auto again = language::parse_tokenizer_json(language::to_tokenizer_json(*vocabulary));
  require(again && *again == *vocabulary);
}

/// The bytes as a file: only open() reads one.
void check_token_file(std::string_view bytes) {
  static const std::string path = "/tmp/lookback-fuzz-" + std::to_string(::getpid()) + ".tokens";
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  for (const auto check : {language::TokenCheck::header, language::TokenCheck::everything}) {
    const auto file = language::TokenFile::open(path, check);
    if (!file) {
      require(is_one_line(file.error().message));
      continue;
    }
    std::vector<Token> tokens(static_cast<std::size_t>(file->size()));
    file->copy(0, tokens);
    for (const Token token : tokens) {
      require(check == language::TokenCheck::header || token < file->vocabulary());
    }
  }
  ::unlink(path.c_str());
}

/// The bytes as a text, with merges that meet in many ways.
void check_text(std::string_view text) {
  language::Vocabulary vocabulary = language::bytes_alone();
  const auto bytes = language::byte_tokens(vocabulary);
  const auto merge = [&](Token left, Token right) {
    const auto result = static_cast<Token>(vocabulary.size());
    vocabulary.tokens.push_back(vocabulary.tokens[left] + vocabulary.tokens[right]);
    vocabulary.merges.push_back({left, right, result});
    return result;
  };
  const Token pair = merge(bytes['a'], bytes['a']);
  merge(pair, bytes['b']);
  merge(pair, pair);
  merge(bytes[' '], bytes['a']);
  merge(bytes[0xC3], bytes[0xA9]);
  language::append_special(vocabulary, "<|endoftext|>");
  language::append_special(vocabulary, "<|end");
  check_vocabulary(vocabulary, text);
}

void feed(std::string_view bytes) {
  if (bytes.empty()) return;
  const char kind = bytes.front();
  bytes.remove_prefix(1);
  if (kind == 'j') return check_vocabulary(language::parse_tokenizer_json(bytes), bytes);
  if (kind == 'r') return check_vocabulary(language::parse_tiktoken(bytes), bytes);
  if (kind == 'f') return check_token_file(bytes);
  if (kind == 't') return check_text(bytes);
  const std::size_t end = std::min(bytes.find('{'), bytes.size());
  check_vocabulary(language::parse_gpt2_files(bytes.substr(0, end), bytes.substr(end)), bytes);
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
