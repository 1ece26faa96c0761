#include "lookback/report/attention_encoding.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lookback::report {
namespace {

std::uint8_t quantize(float weight) {
  if (!(weight > 0.0F)) return 0;  // NaN too
  return static_cast<std::uint8_t>(std::lround(255.0F * std::sqrt(std::min(weight, 1.0F))));
}

std::vector<std::uint8_t> lower_triangle(std::span<const float> weights, std::size_t length) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(length * (length + 1) / 2);
  for (std::size_t query = 0; query < length; ++query) {
    for (const float weight : weights.subspan(query * length, query + 1)) {
      bytes.push_back(quantize(weight));
    }
  }
  return bytes;
}

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

Result<std::string> encode_attention(std::span<const float> weights, std::size_t length) {
  // Divided rather than multiplied: a hostile length must not overflow into a match.
  if (length == 0 || weights.size() % length != 0 || weights.size() / length != length) {
    return Error{"attention map: found " + std::to_string(weights.size()) + " weights, expected " +
                 std::to_string(length) + " x " + std::to_string(length)};
  }
  const std::vector<std::uint8_t> bytes = lower_triangle(weights, length);
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::vector<std::uint8_t> deflated(size);
  constexpr int level = 9;
  if (compress2(deflated.data(), &size, bytes.data(), static_cast<uLong>(bytes.size()), level) !=
      Z_OK) {
    return Error{"attention map: out of memory while compressing"};
  }
  return base64(std::span(deflated).first(size));
}

}  // namespace lookback::report
