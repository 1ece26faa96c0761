#include "lookback/language/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/base/random.h"
#include "lookback/base/utf8.h"
#include "lookback/base/workers.h"
#include "lookback/language/pre_tokenizer.h"
#include "lookback/language/token_file.h"
#include "lookback/language/tokenizer_json.h"

namespace lookback::language {
namespace {

namespace fs = std::filesystem;

/// One file: its tokens as they will be in token files, and where its documents end in them.
struct Source {
  DataFile file;
  std::uint64_t text_bytes = 0;
  std::string text_checksum;
  std::uint64_t stray_bytes = 0;
  std::vector<std::byte> tokens;
  std::vector<std::size_t> ends;  ///< in bytes
};

struct DocumentPlace {
  std::size_t source = 0, document = 0;
};

void append_tokens(std::span<const Token> tokens, std::uint32_t width,
                   std::vector<std::byte>& bytes) {
  const std::size_t before = bytes.size();
  bytes.resize(before + tokens.size() * width);
  for (std::size_t i = 0; i < tokens.size(); ++i) {  // the low bytes come first here as there
    std::memcpy(bytes.data() + before + i * width, &tokens[i], width);
  }
}

/// Encodes the documents of one text, few enough at a time to keep the memory of their 32-bit
/// tokens small.
void encode_documents(std::span<const std::string_view> documents, const Tokenizer& tokenizer,
                      Token separator, base::Workers& workers, Source& source) {
  constexpr std::size_t together = 256;
  const std::uint32_t width = token_width(tokenizer.size());
  std::vector<std::vector<Token>> encoded(std::min(together, documents.size()));
  for (std::size_t first = 0; first < documents.size(); first += together) {
    const std::size_t count = std::min(together, documents.size() - first);
    workers.run(count, [&](std::size_t i, std::size_t) {
      encoded[i] = tokenizer.encode(documents[first + i]);
      encoded[i].push_back(separator);
    });
    for (std::size_t i = 0; i < count; ++i) {
      append_tokens(encoded[i], width, source.tokens);
      source.ends.push_back(source.tokens.size());
    }
  }
}

Result<std::vector<Source>> encode_files(const std::vector<fs::path>& files,
                                         const Tokenizer& tokenizer, Token separator,
                                         const PrepareOptions& options) {
  base::Workers workers(options.threads);
  std::vector<Source> sources;
  for (const fs::path& file : files) {
    const Result<SourceText> text = read_text(file, options.documents);
    if (!text) return text.error();
    Source source;
    source.file = text->file;
    source.text_bytes = text->cleaned.size();
    source.text_checksum = base::checksum_text({base::bytes_of(text->cleaned)});
    source.stray_bytes = base::count_stray_bytes(text->cleaned);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].text_checksum == source.text_checksum) {
        return Error{fmt::format(
            "{}: found the same text as in {}, which could then be in both training and "
            "validation",
            file.string(), files[i].string())};
      }
    }
    encode_documents(split_documents(text->cleaned, options.documents), tokenizer, separator,
                     workers, source);
    sources.push_back(std::move(source));
  }
  return sources;
}

/// All documents in an order drawn from the seed (Fisher and Yates).
std::vector<DocumentPlace> shuffle_documents(const std::vector<Source>& sources,
                                             std::uint64_t seed) {
  std::vector<DocumentPlace> order;
  for (std::size_t source = 0; source < sources.size(); ++source) {
    for (std::size_t i = 0; i < sources[source].ends.size(); ++i) order.push_back({source, i});
  }
  base::RandomStream random(seed, base::StreamPurpose::shuffling, 0);
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.below(left)]);
  }
  return order;
}

/// One of the two token files: its documents as bytes, and what its header says.
struct TokenPart {
  std::vector<base::Bytes> documents;
  TokenFileHeader header;
};

TokenPart collect_part(const std::vector<Source>& sources, std::span<const DocumentPlace> places,
                       TokenFileHeader header) {
  TokenPart part{{}, header};
  std::uint64_t bytes = 0;
  for (const DocumentPlace& place : places) {
    const Source& source = sources[place.source];
    const std::size_t begin = place.document == 0 ? 0 : source.ends[place.document - 1];
    const std::size_t end = source.ends[place.document];
    part.documents.push_back(base::Bytes(source.tokens).subspan(begin, end - begin));
    bytes += end - begin;
  }
  part.header.documents = places.size();
  part.header.tokens = bytes / header.width;
  part.header.tokens_checksum = base::checksum(part.documents);
  return part;
}

std::string checksum_digits(std::uint64_t checksum) { return fmt::format("{:016x}", checksum); }

nlohmann::ordered_json describe_part(const TokenFileHeader& header) {
  return {{"documents", header.documents},
          {"tokens", header.tokens},
          {"tokens_checksum", checksum_digits(header.tokens_checksum)}};
}

std::string describe_data(const std::vector<Source>& sources, const TokenPart& train,
                          const TokenPart& validation, const PrepareOptions& options) {
  nlohmann::ordered_json texts = nlohmann::ordered_json::array();
  for (const Source& source : sources) {
    const std::optional<std::string> known = get_data_path(source.file.sha256);
    texts.push_back({{"name", source.file.name},
                     {"file_bytes", source.file.bytes},
                     {"file_sha256", source.file.sha256},
                     {"verified_as", known ? nlohmann::json(*known) : nlohmann::json(nullptr)},
                     {"text_bytes", source.text_bytes},
                     {"text_checksum", source.text_checksum},
                     {"stray_bytes", source.stray_bytes},
                     {"documents", source.ends.size()},
                     {"tokens", source.tokens.size() / train.header.width}});
  }
  const nlohmann::ordered_json data = {
      {"format", 1},
      {"vocabulary", train.header.vocabulary},
      {"tokenizer_checksum", checksum_digits(train.header.tokenizer_checksum)},
      {"documents", name_of(options.documents)},
      {"validation_share", options.validation_share},
      {"seed", options.seed},
      {"train", describe_part(train.header)},
      {"validation", describe_part(validation.header)},
      {"sources", std::move(texts)}};
  return data.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

Status check_free(const fs::path& out) {
  const Result<fs::file_status> status = base::status_of(out);
  if (!status) return status.error();
  if (!fs::exists(*status)) return {};
  if (fs::is_directory(*status)) {
    const Result<std::vector<fs::path>> entries = base::entries_of(out);
    if (!entries) return entries.error();
    if (entries->empty()) return {};
  }
  return Error{out.string() + ": already exists, allowed: a new or empty directory"};
}

/// A directory beside `out` that is renamed to it when complete, and otherwise removed; what killed
/// processes left for the same `out` is removed first.
class Staging {
 public:
  explicit Staging(const fs::path& out)
      : out_(out.has_filename() ? out : out.parent_path()), path_(base::partial_path(out_)) {
    base::remove_stale_partials(out_);
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const fs::path& path() const { return path_; }

  Status publish() const { return base::rename_and_sync(path_, out_); }

 private:
  fs::path out_;
  fs::path path_;
};

Status write_directory(const fs::path& out, const std::string& tokenizer, const TokenPart& train,
                       const TokenPart& validation, const std::string& data) {
  const Staging staging(out);
  Status written = base::make_directories(staging.path());
  if (!written) return written;
  written = base::write_json_text(staging.path() / "tokenizer.json", tokenizer);
  if (!written) return written;
  written = write_token_file(staging.path() / "train.tokens", train.header, train.documents);
  if (!written) return written;
  written = write_token_file(staging.path() / "validation.tokens", validation.header,
                             validation.documents);
  if (!written) return written;
  written = base::write_json_text(staging.path() / "data.json", data);
  if (!written) return written;
  return staging.publish();
}

/// The number of documents held out: their share, rounded, but neither none nor all.
std::size_t count_held_out(std::size_t documents, double share) {
  const double asked = std::round(share * static_cast<double>(documents));
  return std::clamp<std::size_t>(static_cast<std::size_t>(asked), 1, documents - 1);
}

}  // namespace

Result<Prepared> prepare_tokens(const std::vector<fs::path>& files, const Tokenizer& tokenizer,
                                const fs::path& out, const PrepareOptions& options) {
  if (!(options.validation_share > 0 && options.validation_share < 1)) {
    return Error{fmt::format("found a validation share of {}, allowed: above 0 and below 1",
                             options.validation_share)};
  }
  if (Status free = check_free(out); !free) return free.error();
  const std::optional<Token> separator = tokenizer.special();
  if (!separator) {
    return Error{fmt::format("found a tokenizer without {}, which ends documents", end_of_text)};
  }
  const Result<std::vector<Source>> sources = encode_files(files, tokenizer, *separator, options);
  if (!sources) return sources.error();
  const std::vector<DocumentPlace> order = shuffle_documents(*sources, options.seed);
  if (order.size() < 2) {
    return Error{
        fmt::format("found {} documents of kind '{}', allowed at least 2, one of them for "
                    "validation; give more text or another kind",
                    order.size(), name_of(options.documents))};
  }
  const std::string tokenizer_text = to_tokenizer_json(tokenizer.vocabulary());
  const base::Bytes tokenizer_bytes = base::bytes_of(tokenizer_text);
  TokenFileHeader header;
  header.width = token_width(tokenizer.size());
  header.vocabulary = static_cast<std::uint32_t>(tokenizer.size());
  header.separator = *separator;
  header.tokenizer_checksum = base::checksum({&tokenizer_bytes, 1});
  const std::size_t held_out = count_held_out(order.size(), options.validation_share);
  const std::span<const DocumentPlace> places(order);
  const TokenPart validation = collect_part(*sources, places.first(held_out), header);
  const TokenPart train = collect_part(*sources, places.subspan(held_out), header);
  const std::string data = describe_data(*sources, train, validation, options);
  if (Status written = write_directory(out, tokenizer_text, train, validation, data); !written) {
    return written.error();
  }
  Prepared prepared{{train.header.documents, train.header.tokens},
                    {validation.header.documents, validation.header.tokens}};
  for (const Source& source : *sources) prepared.stray_bytes += source.stray_bytes;
  return prepared;
}

}  // namespace lookback::language
