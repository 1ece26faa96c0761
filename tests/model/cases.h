// The programs that the tests of this folder run: the article's three setups, and a set in which
// every two options of an architecture that can meet do meet in at least one program.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "lookback/model/architecture_toml.h"
#include "lookback/model/program.h"

namespace lookback::model::spec {

/// Sizes of the models of one set. d_model must be divisible by 2 x 1, 2 x 2 and 2 x 3: without OV
/// the heads split it, and rotary positions need an even width.
struct Sizes {
  std::size_t vocabulary, context, d_model, d_head, d_mlp;
};

/// For what is slow or exact: complex numbers, plain loops.
inline constexpr Sizes small_sizes = {7, 8, 12, 4, 10};
/// For vector kernels: no size is a multiple of a vector, T exceeds the zero margin twice.
inline constexpr Sizes odd_sizes = {29, 39, 36, 10, 50};

struct Case {
  std::string name;
  Architecture architecture;
  std::size_t batch = 1;
  std::size_t length = 0;
  std::vector<std::size_t> levels;  ///< of each option, for those that cover pairs

  std::size_t rows() const { return batch * length; }
};

/// Shows the architecture when a test of the case fails.
std::ostream& operator<<(std::ostream& out, const Case& c);

// science.md section 2: the three setups.
Architecture two_layer(const Sizes& sizes);
Architecture parallel(const Sizes& sizes);
Architecture sequential(const Sizes& sizes);

/// The three setups and the pairwise covering set; always the same, in the same order.
std::vector<Case> cases(const Sizes& sizes);

/// Pairs of levels of two options that can meet, and how many of them the given cases lack.
struct Coverage {
  std::size_t possible = 0;
  std::size_t missing = 0;
};
Coverage pair_coverage(const std::vector<Case>& all);

/// The program; a failure of the test, and an empty program, where it is refused.
inline Program compiled(const Architecture& architecture) {
  Result<Program> program = compile(architecture);
  if (!program) {
    ADD_FAILURE() << program.error().message << '\n' << to_toml(architecture);
    return {};
  }
  return std::move(*program);
}

}  // namespace lookback::model::spec
