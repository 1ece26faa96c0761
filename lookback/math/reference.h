// Every kernel of kernels.h as a scalar formula, for float, double and std::complex<double>.
//
// These definitions say what the kernels compute: the vector code is tested against them in double,
// and each backward function is tested against its forward function by a complex step,
//   f'(x) = Im f(x + i h) / h  with h = 1e-30   (Squire and Trapp 1998),
// which has no cancellation and is exact to rounding. The forward formulas are therefore analytic:
// no abs, and a maximum is taken of real parts only. They are written to be read, not to be fast.
#pragma once

#include "lookback/math/reference/adamw.h"          // IWYU pragma: export
#include "lookback/math/reference/cross_entropy.h"  // IWYU pragma: export
#include "lookback/math/reference/elementwise.h"    // IWYU pragma: export
#include "lookback/math/reference/matmul.h"         // IWYU pragma: export
#include "lookback/math/reference/norm.h"           // IWYU pragma: export
#include "lookback/math/reference/orthogonal.h"     // IWYU pragma: export
#include "lookback/math/reference/softmax.h"        // IWYU pragma: export
