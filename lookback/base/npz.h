// Arrays for NumPy: an .npz file is a zip archive of .npy files.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"

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

}  // namespace lookback::base
