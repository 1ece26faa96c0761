#include "lookback/language/token_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/require.h"

namespace lookback::language {
namespace {

static_assert(std::endian::native == std::endian::little, "token files are mapped as they are");

constexpr std::array<char, 8> token_magic{'L', 'O', 'O', 'K', 'T', 'O', 'K', 'S'};
constexpr std::uint32_t token_version = 1;

/// The header as it is in the file, without padding.
struct RawHeader {
  std::array<char, 8> magic = token_magic;
  std::uint32_t version = token_version;
  std::uint32_t width = 0;
  std::uint32_t vocabulary = 0;
  std::uint32_t separator = 0;
  std::uint64_t tokens = 0;
  std::uint64_t documents = 0;
  std::uint64_t tokens_checksum = 0;
  std::uint64_t tokenizer_checksum = 0;
  std::uint64_t header_checksum = 0;  ///< of the bytes before it
};
static_assert(sizeof(RawHeader) == 64);

std::uint64_t header_checksum(const RawHeader& raw) {
  const auto bytes = std::as_bytes(std::span(&raw, 1));
  const base::Bytes before = bytes.first(sizeof(RawHeader) - sizeof(raw.header_checksum));
  return base::checksum({&before, 1});
}

Status check_header(const RawHeader& raw, std::uint64_t file_size) {
  if (raw.magic != token_magic)
    return Error{"not a token file; `lookback tokens prepare` makes them"};
  if (raw.version != token_version) {
    return Error{fmt::format("found version {}, allowed {}", raw.version, token_version)};
  }
  if (raw.header_checksum != header_checksum(raw)) return Error{"the header is damaged"};
  if (raw.vocabulary == 0 || raw.width != token_width(raw.vocabulary) ||
      raw.separator >= raw.vocabulary) {
    return Error{fmt::format("found {} bytes a token and the separator {} for a vocabulary of {}",
                             raw.width, raw.separator, raw.vocabulary)};
  }
  const std::uint64_t held = file_size - sizeof(RawHeader);
  if (held % raw.width != 0 || held / raw.width != raw.tokens) {
    return Error{fmt::format("found {} bytes of tokens, but the header says {} x {}: truncated",
                             held, raw.tokens, raw.width)};
  }
  return {};
}

template <class Number>
std::span<const Number> numbers_of(const std::byte* begin, std::uint64_t count) {
  // The mapping begins at a page and the tokens 64 bytes later, so they are aligned.
  return {reinterpret_cast<const Number*>(begin), static_cast<std::size_t>(count)};
}

/// Maps a regular file with a header at least.
Result<std::span<const std::byte>> map_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return base::system_error("open", path, errno);
  struct stat status {};
  Result<std::span<const std::byte>> mapped = Error{};
  if (::fstat(file, &status) != 0) {
    mapped = base::system_error("stat", path, errno);
  } else if (!S_ISREG(status.st_mode) || status.st_size < std::int64_t{sizeof(RawHeader)}) {
    mapped = Error{path.string() + ": not a token file; `lookback tokens prepare` makes them"};
  } else {
    const auto size = static_cast<std::size_t>(status.st_size);
    void* begin = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
    if (begin == MAP_FAILED) {
      mapped = base::system_error("map", path, errno);
    } else {
      mapped = std::span(static_cast<const std::byte*>(begin), size);
    }
  }
  ::close(file);
  return mapped;
}

}  // namespace

std::uint32_t token_width(std::size_t vocabulary) { return vocabulary <= 65536 ? 2 : 4; }

Status write_token_file(const std::filesystem::path& path, TokenFileHeader header,
                        std::span<const base::Bytes> tokens) {
  std::uint64_t bytes = 0;
  for (const base::Bytes part : tokens) bytes += part.size();
  RawHeader raw;
  raw.width = header.width;
  raw.vocabulary = header.vocabulary;
  raw.separator = header.separator;
  raw.tokens = bytes / header.width;
  raw.documents = header.documents;
  raw.tokens_checksum = base::checksum(tokens);
  raw.tokenizer_checksum = header.tokenizer_checksum;
  raw.header_checksum = header_checksum(raw);
  std::vector<base::Bytes> parts{std::as_bytes(std::span(&raw, 1))};
  parts.insert(parts.end(), tokens.begin(), tokens.end());
  return base::write_file_atomically(path, parts);
}

Result<TokenFile> TokenFile::open(const std::filesystem::path& path, TokenCheck check) {
  const Result<std::span<const std::byte>> mapped = map_file(path);
  if (!mapped) return mapped.error();
  RawHeader raw;
  std::memcpy(&raw, mapped->data(), sizeof(raw));
  TokenFile file(*mapped, {raw.width, raw.vocabulary, raw.separator, raw.tokens, raw.documents,
                           raw.tokens_checksum, raw.tokenizer_checksum});
  Status whole = check_header(raw, mapped->size());
  if (whole && check == TokenCheck::everything) whole = file.check_tokens();
  if (!whole) return whole.error().at(path.string());
  return file;
}

TokenFile::TokenFile(TokenFile&& other) noexcept
    : mapping_(std::exchange(other.mapping_, {})), header_(std::exchange(other.header_, {})) {}

TokenFile& TokenFile::operator=(TokenFile&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(header_, other.header_);
  return *this;
}

TokenFile::~TokenFile() {
  if (!mapping_.empty()) ::munmap(const_cast<std::byte*>(mapping_.data()), mapping_.size());
}

const std::byte* TokenFile::tokens_begin() const { return mapping_.data() + sizeof(RawHeader); }

Status TokenFile::check_tokens() const {
  const base::Bytes bytes = mapping_.subspan(sizeof(RawHeader));
  if (base::checksum({&bytes, 1}) != header_.tokens_checksum) {
    return Error{"the tokens are damaged: their checksum differs from the header's"};
  }
  std::uint64_t separators = 0;
  for (std::uint64_t i = 0; i < size(); ++i) {
    const Token found = token(i);
    if (found >= header_.vocabulary) {
      return Error{fmt::format("token {}: found the id {}, allowed 0 to {}", i, found,
                               header_.vocabulary - 1)};
    }
    separators += found == header_.separator ? 1 : 0;
  }
  if (separators != header_.documents) {
    return Error{fmt::format("found {} ends of documents, but the header says {}", separators,
                             header_.documents)};
  }
  return {};
}

Token TokenFile::token(std::uint64_t i) const {
  LOOKBACK_REQUIRE_DEBUG(i < size());
  return header_.width == 2 ? narrow()[i] : wide()[i];
}

void TokenFile::copy(std::uint64_t first, std::span<Token> tokens) const {
  LOOKBACK_REQUIRE(first <= size() && tokens.size() <= size() - first);
  if (header_.width == 2) {
    std::ranges::copy(narrow().subspan(first, tokens.size()), tokens.begin());
  } else {
    std::ranges::copy(wide().subspan(first, tokens.size()), tokens.begin());
  }
}

std::span<const std::uint16_t> TokenFile::narrow() const {
  if (header_.width != 2) return {};
  return numbers_of<std::uint16_t>(tokens_begin(), header_.tokens);
}

std::span<const std::uint32_t> TokenFile::wide() const {
  if (header_.width != 4) return {};
  return numbers_of<std::uint32_t>(tokens_begin(), header_.tokens);
}

}  // namespace lookback::language
