#include "lookback/report/attention_encoding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lookback/report/packed_text.h"

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

}  // namespace

Result<std::string> encode_attention(std::span<const float> weights, std::size_t length) {
  // Divided rather than multiplied, so that a hostile length cannot overflow into a match.
  if (length == 0 || weights.size() % length != 0 || weights.size() / length != length) {
    return Error{"attention map: found " + std::to_string(weights.size()) + " weights, expected " +
                 std::to_string(length) + " x " + std::to_string(length)};
  }
  Result<std::string> text = pack_text(lower_triangle(weights, length));
  if (!text) return text.error().at("attention map");
  return text;
}

}  // namespace lookback::report
