// How callers of the kernels describe what they need.
#pragma once

#include <cstddef>

namespace lookback::math {

enum class Update { set, add };

/// Structural zeros of a product C = A B that are skipped, never computed. Causal attention needs
/// three: scores = Q K^T only below the diagonal, Z = P V with P lower triangular, dV = P^T dZ with
/// P^T upper triangular.
enum class Part {
  dense,
  lower_result,  ///< only C(i, j) with j <= i is wanted
  lower_left,    ///< A(i, k) = 0 for k > i; up to zero_margin entries right of it are read: be zero
  upper_left,    ///< A(i, k) = 0 for k < i; up to zero_margin entries left of it are read: be zero
};

/// How far beyond the diagonal a triangular left factor must actually contain zeros.
inline constexpr std::size_t zero_margin = 16;

enum class Norm { layer, rms };

enum class Rotation { forward, inverse };

/// One AdamW update's numbers (Loshchilov and Hutter 2019). The bias corrections 1 - beta^step are
/// passed in, because the caller knows the step.
struct AdamW {
  float learning_rate = 0;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0;  ///< decoupled: p -= learning_rate * weight_decay * p
  float correction1 = 1;
  float correction2 = 1;
  float gradient_scale = 1;  ///< clipping: the gradient is multiplied by it first
};

}  // namespace lookback::math
