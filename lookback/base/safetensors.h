// The safetensors file format: 8 bytes of little-endian header length, a JSON header that names
// each tensor's dtype, shape and bytes, then the bytes. https://github.com/huggingface/safetensors
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::base {

/// A named array in memory that the caller owns, row-major; the product of `shape` (1 if empty) is
/// the number of values.
struct Tensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::span<const float> values;
};

/// Writes F32 tensors in the order given, atomically, and the same bytes for the same input. The
/// data section starts at a multiple of 64 bytes. Adds the metadata key "checksum": 16 hexadecimal
/// digits, XXH3 over the whole file with these digits as zeros. Errors: a duplicate or reserved
/// name, a shape that does not fit its values, text that is not UTF-8, a "checksum" among
/// `metadata`, what no reader accepts (over 16 dimensions, a header above 100 MB, a file above 64
/// GiB), and file system errors.
Status write_safetensors(const std::filesystem::path& path, std::span<const Tensor> tensors,
                         const std::map<std::string, std::string>& metadata);

/// A file read into memory; owns the values that its tensors view (they stay valid when it moves).
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;
  ~SafetensorsFile();

  /// Reads and checks the whole file: sizes, JSON, that the tensors tile the data without gap or
  /// overlap, and the checksum if there is one. Each error is one line that names the file. Nothing
  /// is allocated on trust: every size in the header is first checked against the file's.
  static Result<SafetensorsFile> read(const std::filesystem::path& path);
  /// The same for bytes in memory; `file_name` is for messages.
  static Result<SafetensorsFile> parse(std::string_view bytes, const std::string& file_name);

  /// In the order of the file's data.
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const;

  /// F32 as it is, F16 and BF16 widened to float; aligned for float.
  /// Errors, with the file's name: no such tensor (with the nearest name), or another dtype.
  Result<Tensor> find(std::string_view name) const;

  /// The header's "__metadata__", with the checksum.
  const std::map<std::string, std::string>& metadata() const;
  /// Whether the file had a checksum (which was then right). A reader of files that always have one
  /// should require it: with a damaged key a file seems to have none.
  bool has_checksum() const;

 private:
  struct Contents;
  explicit SafetensorsFile(std::unique_ptr<Contents> contents);
  std::unique_ptr<Contents> contents_;
};

}  // namespace lookback::base
