#include "lookback/report/packed_text.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace lookback::report {
namespace {

std::string base64(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t present = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (j < present ? bytes[i + j] : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= present ? alphabet[group >> (18U - 6U * j) & 63U] : '=');
    }
  }
  return text;
}

}  // namespace

Result<std::string> pack_text(std::span<const std::uint8_t> bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::vector<std::uint8_t> deflated(size);
  constexpr int level = 9;
  if (compress2(deflated.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()), level) !=
      Z_OK) {
    return Error{"out of memory while compressing", ErrorKind::failed};
  }
  return base64(std::span(deflated).first(size));
}

}  // namespace lookback::report
