#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "lookback/base/npz.h"

namespace lookback::base {
namespace {

/// A header says a type, an order and a few numbers; NumPy pads it to 64 or 16 bytes.
constexpr std::size_t longest_header = 1 << 16;
constexpr std::size_t longest_preamble = 12;  // magic, version, length of the header
constexpr std::size_t most_dimensions = 8;

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

struct NpyHeader {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

/// Reads the literal of a dictionary with the keys 'descr', 'fortran_order' and 'shape', once each
/// and in any order: all that a header may hold.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<NpyHeader> parse() {
    if (!take("{")) return std::nullopt;
    for (int i = 0; i < 3; ++i) {
      if (!entry()) return std::nullopt;
      if (!take(",") && i < 2) return std::nullopt;
    }
    if (!take("}") || !at_end() || keys_ != 7) return std::nullopt;
    return std::move(header_);
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(std::string_view expected) {
    skip_space();
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  bool entry() {
    if (take("'descr'")) return first(1) && take(":") && quoted();
    if (take("'fortran_order'")) return first(2) && take(":") && boolean();
    return take("'shape'") && first(4) && take(":") && shape();
  }
  bool first(unsigned key) {
    if ((keys_ & key) != 0) return false;
    keys_ |= key;
    return true;
  }
  bool quoted() {
    if (!take("'")) return false;
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return false;
    header_.descr = std::string(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool boolean() {
    header_.fortran_order = take("True");
    return header_.fortran_order || take("False");
  }
  bool shape() {
    if (!take("(")) return false;
    while (!take(")")) {
      if (header_.shape.size() == most_dimensions || !number()) return false;
      if (take(",")) continue;
      return take(")");
    }
    return true;
  }
  bool number() {
    skip_space();
    std::size_t value = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    header_.shape.push_back(value);
    return true;
  }

  std::string_view rest_;
  NpyHeader header_;
  unsigned keys_ = 0;
};

/// Where the header's text begins and ends within the file; nothing where it has none.
std::optional<std::pair<std::size_t, std::size_t>> header_place(std::string_view bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (bytes.size() < longest_preamble || !bytes.starts_with(magic)) return std::nullopt;
  const auto byte = [&](std::size_t i) {
    return std::size_t{static_cast<unsigned char>(bytes[i])};
  };
  const std::size_t version = byte(6);
  if ((version != 1 && version != 2) || byte(7) != 0) return std::nullopt;
  std::size_t begin = 10;
  std::size_t length = byte(8) + (byte(9) << 8U);
  if (version == 2) {
    begin = 12;
    length += (byte(10) << 16U) + (byte(11) << 24U);
  }
  if (length > longest_header || bytes.size() - begin < length) return std::nullopt;
  return std::pair{begin, begin + length};
}

/// The product of the sizes, where it is at most `most`.
std::optional<std::size_t> value_count(const std::vector<std::size_t>& shape, std::size_t most) {
  std::size_t count = 1;
  for (const std::size_t size : shape) {
    // Divided rather than multiplied: hostile sizes must not overflow into a fit.
    if (size != 0 && count > most / size) return std::nullopt;
    count *= size;
  }
  return count <= most ? std::optional(count) : std::nullopt;
}

Result<Array> parse_npy(const std::string& name, std::string_view bytes, std::size_t max_values) {
  const auto place = header_place(bytes);
  if (!place) return Error{"found no NPY header of version 1.0 or 2.0"};
  const auto [begin, end] = *place;
  const auto header = HeaderParser(bytes.substr(begin, end - begin)).parse();
  if (!header) return Error{"its NPY header is malformed"};
  if (header->descr != "<f4" || header->fortran_order) {
    return Error{fmt::format("found type '{}' in {} order, allowed: '<f4' in C order",
                             header->descr.substr(0, 20), header->fortran_order ? "Fortran" : "C")};
  }
  const std::optional<std::size_t> count = value_count(header->shape, max_values);
  if (!count) return Error{fmt::format("its shape needs more than {} values", max_values)};
  if ((bytes.size() - end) != *count * sizeof(float)) {
    return Error{fmt::format("found {} bytes of values, its shape needs {}", bytes.size() - end,
                             *count * sizeof(float))};
  }
  Array array{name, header->shape, std::vector<float>(*count)};
  if (*count > 0) std::memcpy(array.values.data(), bytes.data() + end, *count * sizeof(float));
  return array;
}

/// One entry's bytes, at most `max_bytes`.
Result<std::string> read_entry(zip_t* archive, zip_uint64_t index, std::size_t max_bytes) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_stat_index(archive, index, 0, &status) != 0 || (status.valid & ZIP_STAT_SIZE) == 0) {
    return Error{zip_strerror(archive)};
  }
  if (status.size > max_bytes) {
    return Error{fmt::format("found {} bytes, allowed at most {}", status.size, max_bytes)};
  }
  const std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(archive, index, 0));
  if (!file) return Error{zip_strerror(archive)};
  std::string bytes(status.size, '\0');
  const zip_int64_t read = zip_fread(file.get(), bytes.data(), bytes.size());
  if (read < 0) return Error{zip_file_strerror(file.get())};
  // Another read sees the end, where the checksum is compared.
  char more = 0;
  if (static_cast<std::size_t>(read) != bytes.size() || zip_fread(file.get(), &more, 1) != 0) {
    return Error{"it is damaged"};
  }
  return bytes;
}

}  // namespace

void NpzFile::Close::operator()(zip* archive) const { zip_discard(archive); }

NpzFile::NpzFile(std::filesystem::path path, zip* archive)
    : path_(std::move(path)), archive_(archive) {}

Result<NpzFile> NpzFile::open(const std::filesystem::path& path) {
  int code = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (archive != nullptr) return NpzFile(path, archive);
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  return Error{fmt::format("{}: cannot be read as an .npz file: {}", path.string(), reason)};
}

bool NpzFile::has(const std::string& name) const {
  return zip_name_locate(archive_.get(), (name + ".npy").c_str(), 0) >= 0;
}

Result<Array> NpzFile::read(const std::string& name, std::size_t max_values) const {
  const auto refuse = [&](const std::string& reason) {
    return Error{fmt::format("{}: array '{}': {}", path_.string(), name, reason)};
  };
  const zip_int64_t index = zip_name_locate(archive_.get(), (name + ".npy").c_str(), 0);
  if (index < 0) return refuse("found none of that name");
  constexpr std::size_t beside = longest_preamble + longest_header;
  const std::size_t most = std::min(max_values, (SIZE_MAX - beside) / sizeof(float));
  const Result<std::string> bytes =
      read_entry(archive_.get(), static_cast<zip_uint64_t>(index), beside + most * sizeof(float));
  if (!bytes) return refuse(bytes.error().message);
  Result<Array> array = parse_npy(name, *bytes, most);
  if (!array) return refuse(array.error().message);
  return array;
}

}  // namespace lookback::base
