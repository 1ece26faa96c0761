// A file of tokens, mapped into memory; docs/formats.md describes its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/result.h"
#include "lookback/data/token_source.h"

namespace lookback::language {

using data::Token;

/// What the header says about the tokens.
struct TokenFileHeader {
  std::uint32_t width = 2;       ///< bytes of a token: 2 for V up to 65536, else 4
  std::uint32_t vocabulary = 0;  ///< V; every token is below it
  Token separator = 0;           ///< ends each document
  std::uint64_t tokens = 0;
  std::uint64_t documents = 0;
  std::uint64_t tokens_checksum = 0;
  std::uint64_t tokenizer_checksum = 0;  ///< of the tokenizer.json that made the tokens
};

/// The bytes per token for a vocabulary of V: 2 or 4.
std::uint32_t token_width(std::size_t vocabulary);

/// Writes a file of the concatenation of `tokens`, numbers of `header.width` bytes, lowest byte
/// first. `header.tokens` and its checksum are computed here.
Status write_token_file(const std::filesystem::path& path, TokenFileHeader header,
                        std::span<const base::Bytes> tokens);

/// How far open() checks a file.
enum class TokenCheck {
  header,     ///< the header, and that the size is what it says: for files that were checked before
  everything  ///< and the checksum, and that every token is below V: reads all of the file
};

/// An open token file, read-only. Copying tokens is safe from several threads. The file must not be
/// truncated while it is open: the system kills a process that reads beyond its end.
class TokenFile {
 public:
  /// Errors name the file: it cannot be read, is not a token file, has another version, is
  /// truncated or damaged.
  static Result<TokenFile> open(const std::filesystem::path& path,
                                TokenCheck check = TokenCheck::everything);

  TokenFile(TokenFile&& other) noexcept;
  TokenFile& operator=(TokenFile&& other) noexcept;
  ~TokenFile();

  const TokenFileHeader& header() const { return header_; }
  std::uint64_t size() const { return header_.tokens; }
  std::size_t vocabulary() const { return header_.vocabulary; }

  /// REQUIRES i < size().
  Token token(std::uint64_t i) const;

  /// Fills `tokens` with those from `first` on. REQUIRES first + tokens.size() <= size().
  void copy(std::uint64_t first, std::span<Token> tokens) const;

  /// The tokens in place; empty if the width is different.
  std::span<const std::uint16_t> narrow() const;
  std::span<const std::uint32_t> wide() const;

 private:
  TokenFile(std::span<const std::byte> mapping, const TokenFileHeader& header)
      : mapping_(mapping), header_(header) {}

  const std::byte* tokens_begin() const;
  Status check_tokens() const;

  std::span<const std::byte> mapping_;
  TokenFileHeader header_;
};

}  // namespace lookback::language
