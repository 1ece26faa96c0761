// Arrays for NumPy: an .npz file is a zip archive of .npy files.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"

struct zip;  // libzip's zip_t

namespace lookback::base {

/// A named array of floats, row-major: the product of `shape` (1 if empty) is the number of values.
struct Array {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// Writes the arrays for numpy.load, in the order given, atomically: the same bytes for the same
/// input. Errors: no array, a name that is empty, longer than 1000 bytes or given twice, a shape that does not
/// fit its values, what the file system says.
Status write_npz(const std::filesystem::path& path, std::span<const Array> arrays);

/// An .npz file that is open for reading. Its arrays are read one at a time, so that a large file
/// takes no more memory than its largest array that is asked for. Nothing in it is trusted.
class NpzFile {
 public:
  /// Errors, in one line with the file's name: it cannot be opened, it is no zip archive.
  static Result<NpzFile> open(const std::filesystem::path& path);

  /// Whether there is an array of that name (an entry NAME.npy).
  bool has(const std::string& name) const;

  /// The array of that name. What is read is what write_npz writes and NumPy writes for
  /// little-endian float32 in C order, NPY versions 1.0 and 2.0. Errors, in one line with file and
  /// name: none of that name, more than `max_values` values (checked before they are read),
  /// another type or order, a shape that does not fit the bytes, more than 8 dimensions, damage.
  Result<Array> read(const std::string& name, std::size_t max_values) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };
  NpzFile(std::filesystem::path path, zip* archive);

  std::filesystem::path path_;
  std::unique_ptr<zip, Close> archive_;
};

}  // namespace lookback::base
