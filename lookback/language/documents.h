// Splits text files into documents, the units that are shuffled, held out and ended by
// <|endoftext|>.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/data_file.h"

namespace lookback::language {

/// What one document is.
enum class DocumentKind {
  parts,       ///< a file cut at the first blank line after every `part_bytes`
  files,       ///< a whole file
  texts,       ///< what stands between two or more empty lines: many texts in one file
  paragraphs,  ///< what stands between blank lines
  lines        ///< a line
};

inline constexpr std::size_t part_bytes = 32'768;
inline constexpr std::size_t largest_text = std::size_t{1} << 32;

/// parts, files, texts, paragraphs or lines; nothing for another word.
std::optional<DocumentKind> parse_document_kind(std::string_view name);
std::string_view name_of(DocumentKind kind);

/// The text of a file as it is used for training: without a byte order mark, with LF for CRLF, and
/// of a Project Gutenberg book only what is between its lines "*** START OF THIS PROJECT GUTENBERG
/// ..." and "*** END OF ..." (THE for THIS and no blank after the stars are allowed). If one of the
/// two is missing nothing is cut, nor from a file of many `texts`.
std::string clean_text(std::string text, DocumentKind kind);

/// A text to learn from, and the file that it is from.
struct SourceText {
  std::string cleaned;
  DataFile file;  ///< as it lies on the disk
};

/// A file's text, cleaned for documents of that kind. Errors name the file: it cannot be read, has
/// over `largest_text` bytes, contains a NUL byte (so is not text, or not UTF-8), or nothing but
/// white space.
Result<SourceText> read_text(const std::filesystem::path& path, DocumentKind kind);

/// The documents of a text, in order, without those that are only white space. They are views into
/// `text`. Lines come without their line end, other documents with trailing white space reduced to
/// one line end.
std::vector<std::string_view> split_documents(std::string_view text, DocumentKind kind);

}  // namespace lookback::language
