#include "lookback/language/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lookback/base/file.h"

namespace lookback::language {
namespace {

constexpr std::array<std::pair<std::string_view, DocumentKind>, 5> document_kinds{
    {{"parts", DocumentKind::parts},
     {"files", DocumentKind::files},
     {"texts", DocumentKind::texts},
     {"paragraphs", DocumentKind::paragraphs},
     {"lines", DocumentKind::lines}}};

constexpr std::string_view blanks = " \t\n\v\f\r";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(blanks) == std::string_view::npos;
}

/// Where the line after the one at `at` begins.
std::size_t next_line(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end + 1;
}

/// Whether a line is Project Gutenberg's `which` ("START" or "END") of a book:
/// "*** START OF THIS PROJECT GUTENBERG EBOOK EMMA ***", in some books without the blanks.
bool is_book_mark(std::string_view line, std::string_view which) {
  constexpr std::string_view stars = "***", article = " OF TH";
  if (!line.starts_with(stars)) return false;
  line.remove_prefix(stars.size());
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!line.starts_with(which)) return false;
  line.remove_prefix(which.size());
  return line.starts_with(article) && line.find("PROJECT GUTENBERG") != std::string_view::npos;
}

/// Where the first such line at `from` or later begins, or npos.
std::size_t find_book_mark(std::string_view text, std::string_view which, std::size_t from) {
  for (std::size_t at = text.find("***", from); at != std::string_view::npos;
       at = text.find("***", at + 1)) {
    if (at > 0 && text[at - 1] != '\n') continue;
    if (is_book_mark(text.substr(at, next_line(text, at) - at), which)) return at;
  }
  return std::string_view::npos;
}

/// Keeps of a Project Gutenberg book what is between its marks; a text without both stays as it is.
void cut_book(std::string& text) {
  const std::size_t start = find_book_mark(text, "START", 0);
  if (start == std::string::npos) return;
  const std::size_t begin = next_line(text, start);
  const std::size_t end = find_book_mark(text, "END", begin);
  if (end == std::string::npos) return;
  text.resize(end);
  text.erase(0, begin);
}

/// The end of the first run of blank lines that begins after `at`: text before it is a whole number of
/// paragraphs.
std::size_t paragraph_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const std::size_t line = next_line(text, at);
    std::size_t after = line;
    while (after < text.size() && is_blank(text.substr(after, next_line(text, after) - after))) {
      after = next_line(text, after);
    }
    if (after > line) return after;
    at = line;
  }
  return text.size();
}

/// The end of the first run of two or more empty lines that begins after `at`. Lines of white space do
/// not count: scripts/data_convert.py leaves them in its texts.
std::size_t text_end(std::string_view text, std::size_t at) {
  const std::size_t found = text.find("\n\n\n", at);
  return std::min(text.find_first_not_of('\n', found), text.size());
}

/// The end of the document that begins at `at`.
std::size_t document_end(std::string_view text, std::size_t at, DocumentKind kind) {
  switch (kind) {
    case DocumentKind::lines:
      return next_line(text, at);
    case DocumentKind::texts:
      return text_end(text, at);
    case DocumentKind::paragraphs:
      return paragraph_end(text, at);
    case DocumentKind::parts:
      return paragraph_end(text, std::min(text.size(), at + part_bytes));
    case DocumentKind::files:
      break;
  }
  return text.size();
}

}  // namespace

std::optional<DocumentKind> parse_document_kind(std::string_view name) {
  const auto at =
      std::ranges::find(document_kinds, name, [](const auto& kind) { return kind.first; });
  if (at == document_kinds.end()) return std::nullopt;
  return at->second;
}

std::string_view name_of(DocumentKind kind) {
  return std::ranges::find(document_kinds, kind, [](const auto& known) { return known.second; })
      ->first;
}

std::string clean_text(std::string text, DocumentKind kind) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    text[kept++] = text[i];
  }
  text.resize(kept);
  if (kind != DocumentKind::texts) cut_book(text);
  return text;
}

Result<SourceText> read_text(const std::filesystem::path& path, DocumentKind kind) {
  Result<std::string> bytes = base::read_file(path, largest_text);
  if (!bytes) return bytes.error();
  if (const std::size_t nul = bytes->find('\0'); nul != std::string::npos) {
    return Error{
        fmt::format("{}: found a NUL byte at offset {}, allowed: UTF-8 text", path.string(), nul)};
  }
  SourceText text;
  text.file = data_file(path.filename().string(), *bytes);
  text.cleaned = clean_text(std::move(*bytes), kind);
  if (!is_blank(text.cleaned)) return text;
  return Error{fmt::format("{}: found no text, allowed: a file that contains some", path.string())};
}

std::vector<std::string_view> split_documents(std::string_view text, DocumentKind kind) {
  std::vector<std::string_view> documents;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = document_end(text, at, kind);
    std::string_view document = text.substr(at, end - at);
    at = end;
    if (is_blank(document)) continue;
    if (kind == DocumentKind::lines) {
      if (document.ends_with('\n')) document.remove_suffix(1);
    } else {
      const std::size_t shown = document.find_last_not_of(blanks) + 1;
      document = document.substr(0, document.substr(shown).starts_with('\n') ? shown + 1 : shown);
    }
    documents.push_back(document);
  }
  return documents;
}

}  // namespace lookback::language
