// Matrices of any sign as short text that the page decodes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lookback/base/result.h"

namespace lookback::report {

struct EncodedMatrix {
  double scale = 0;  ///< the largest |x| of the matrix
  std::string text;
};

/// Encodes `values` [side, side], row-major. Every x becomes the byte 128 + round(127 sign(x)
/// sqrt(|x| / scale)) (the root keeps small values distinct, which one byte for x itself would
/// not), and the bytes become the text of packed_text.h. Non-finite values become 0. A matrix of
/// zeros has the scale 0. Fails when the size of `values` is not side x side.
Result<EncodedMatrix> encode_matrix(std::span<const float> values, std::size_t side);

}  // namespace lookback::report
