#include "lookback/base/npz.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <set>

#include "lookback/base/file.h"

namespace lookback::base {
namespace {

static_assert(std::endian::native == std::endian::little, "descr '<f4' says little-endian");

/// 1980-01-01: an archive is dated by nothing, so that it is the same whenever it is made.
constexpr zip_uint16_t first_day = (1U << 5U) | 1U;
constexpr std::size_t longest_name = 1000;

struct CloseSource {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
struct DiscardArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
/// What went wrong while there was no archive yet to ask.
struct ZipError {
  ZipError() { zip_error_init(&value); }
  ~ZipError() { zip_error_fini(&value); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  const char* text() { return zip_error_strerror(&value); }

  zip_error_t value;
};
using Source = std::unique_ptr<zip_source_t, CloseSource>;
using Archive = std::unique_ptr<zip_t, DiscardArchive>;

/// The bytes of one .npy file, version 1.0: magic, length, a Python literal padded with spaces so
/// that the values start at a multiple of 64, the values.
std::string npy_bytes(const Array& array) {
  std::string shape;
  for (const std::size_t size : array.shape) shape += fmt::format("{}, ", size);
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", shape);
  constexpr std::size_t before = 10;
  header.resize((before + header.size() + 64) / 64 * 64 - before - 1, ' ');
  header += '\n';
  std::string bytes = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
  bytes += static_cast<char>(header.size() % 256);
  bytes += static_cast<char>(header.size() / 256);
  bytes += header;
  const auto values = std::as_bytes(std::span(array.values));
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
  return bytes;
}

Status check(std::span<const Array> arrays) {
  if (arrays.empty()) return Error{"found no array, allowed: at least one"};
  std::set<std::string> names;
  for (const Array& array : arrays) {
    if (array.name.empty() || array.name.size() > longest_name) {
      return Error{fmt::format("an array's name has {} bytes, allowed: 1 to {}", array.name.size(),
                               longest_name)};
    }
    if (!names.insert(array.name).second) {
      return Error{fmt::format("array '{}': found twice, allowed: each name once", array.name)};
    }
    std::size_t size = 1;
    for (const std::size_t dimension : array.shape) size *= dimension;
    if (size != array.values.size()) {
      return Error{fmt::format("array '{}': found {} values, its shape needs {}", array.name,
                               array.values.size(), size)};
    }
  }
  return {};
}

/// Adds one entry. `bytes` must live until the archive is closed.
bool add_entry(zip_t* archive, const std::string& name, const std::string& bytes) {
  Source source(zip_source_buffer(archive, bytes.data(), bytes.size(), 0));
  if (!source) return false;
  const zip_int64_t index =
      zip_file_add(archive, (name + ".npy").c_str(), source.get(), ZIP_FL_ENC_UTF_8);
  if (index < 0) return false;
  static_cast<void>(source.release());  // the archive's now
  const auto entry = static_cast<zip_uint64_t>(index);
  return zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(archive, entry, 0, first_day, 0) == 0;
}

/// Everything that a source in memory holds.
std::string read_all(zip_source_t* source) {
  zip_stat_t status;
  zip_stat_init(&status);
  if (zip_source_stat(source, &status) != 0 || zip_source_open(source) != 0) return {};
  std::string bytes(status.size, '\0');
  const zip_int64_t read = zip_source_read(source, bytes.data(), bytes.size());
  zip_source_close(source);
  if (read < 0 || static_cast<std::size_t>(read) != bytes.size()) bytes.clear();
  return bytes;
}

}  // namespace

Status write_npz(const std::filesystem::path& path, std::span<const Array> arrays) {
  if (Status status = check(arrays); !status) {
    return Error{path.string() + ": " + status.error().message};
  }
  const auto refuse = [&](const char* reason) {
    return Error{fmt::format("{}: cannot make the archive: {}", path.string(), reason)};
  };
  ZipError error;
  const Source memory(zip_source_buffer_create(nullptr, 0, 0, &error.value));
  if (!memory) return refuse(error.text());
  zip_source_keep(memory.get());  // closing or discarding the archive gives up one share of it
  Archive archive(zip_open_from_source(memory.get(), ZIP_TRUNCATE, &error.value));
  if (!archive) {
    zip_source_free(memory.get());
    return refuse(error.text());
  }
  std::vector<std::string> files;
  files.reserve(arrays.size());
  for (const Array& array : arrays) {
    files.push_back(npy_bytes(array));
    if (!add_entry(archive.get(), array.name, files.back())) {
      return refuse(zip_strerror(archive.get()));
    }
  }
  if (zip_close(archive.get()) != 0) return refuse(zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  const std::string bytes = read_all(memory.get());
  if (bytes.empty()) return refuse("it cannot be read back");
  return write_file_atomically(path, bytes);
}

}  // namespace lookback::base
