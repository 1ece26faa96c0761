// Attention maps as short text that the page decodes.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "lookback/base/result.h"

namespace lookback::report {

/// Encodes one causal map `weights` [T, T], row-major, T = `length`: for each row t only the
/// sources 0..t, every weight p as the byte round(255 sqrt(p)) (the root keeps small weights
/// distinct, which one byte for p itself would not), the T (T + 1) / 2 bytes as pack_text writes
/// them (packed_text.h). Weights outside [0, 1] are clamped and NaN becomes 0. Fails when the size
/// of `weights` is not T x T.
Result<std::string> encode_attention(std::span<const float> weights, std::size_t length);

}  // namespace lookback::report
