// Which instruction sets the vector code is compiled for. Include it before any header of Highway,
// in every source that uses Highway: they must all agree, because one choice serves them all.
//
// x86: AVX3 (AVX-512), AVX2, SSE4, SCALAR. Arm: NEON, SCALAR.
// - SSSE3 is left out: machines with it but without SSE4 no longer occur.
// - AVX3_DL is left out: none of its additions are used.
// - SVE is left out: the kernels need a vector length known to the compiler.
// - The fallback is SCALAR everywhere; EMU128 is miscompiled by GCC before 12.3.
#pragma once

#define HWY_COMPILE_ALL_ATTAINABLE
#define HWY_BROKEN_EMU128 1
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
