// The untrusted JSON header of a safetensors file. Used only by safetensors.cc.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::base {

/// The limit that the format's own reader sets.
inline constexpr std::size_t max_safetensors_header = 100'000'000;

/// The most dimensions of a tensor.
inline constexpr std::size_t max_safetensors_rank = 16;

/// One tensor as the header describes it: its bytes are data[begin, end).
struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<std::size_t> shape;
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the data
  std::map<std::string, std::string> metadata;
};

/// Product of `shape` times `factor`, or false when it does not fit a size.
bool checked_product(const std::vector<std::size_t>& shape, std::size_t factor,
                     std::size_t& product);

/// Parses and checks a header for a data section of `data_size` bytes: known dtypes, no name twice,
/// each tensor's bytes as its shape says, and all of them together covering the section without gap
/// or overlap. Errors do not name the file. Memory use is proportional to the text.
Result<SafetensorsHeader> parse_safetensors_header(std::string_view json, std::size_t data_size);

}  // namespace lookback::base
