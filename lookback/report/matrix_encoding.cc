#include "lookback/report/matrix_encoding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "lookback/report/packed_text.h"

namespace lookback::report {
namespace {

std::uint8_t signed_byte(float value, double scale) {
  if (scale == 0.0 || !std::isfinite(value)) return 128;
  const double root = std::sqrt(std::abs(static_cast<double>(value)) / scale);
  return static_cast<std::uint8_t>(128 + std::lround(std::copysign(127.0 * root, value)));
}

}  // namespace

Result<EncodedMatrix> encode_matrix(std::span<const float> values, std::size_t side) {
  // Divided rather than multiplied, so that a hostile side cannot overflow into a match.
  if (side == 0 || values.size() % side != 0 || values.size() / side != side) {
    return Error{"matrix: found " + std::to_string(values.size()) + " values, expected " +
                 std::to_string(side) + " x " + std::to_string(side)};
  }
  double scale = 0.0;
  for (const float value : values) {
    if (std::isfinite(value)) scale = std::max(scale, std::abs(static_cast<double>(value)));
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size());
  for (const float value : values) bytes.push_back(signed_byte(value, scale));
  Result<std::string> text = pack_text(bytes);
  if (!text) return text.error().at("matrix");
  return EncodedMatrix{scale, std::move(*text)};
}

}  // namespace lookback::report
