// A model as the lens sees it: a view on a program and the numbers it runs with.
#pragma once

#include <span>

#include "lookback/model/program.h"

namespace lookback::lens {

/// Owns nothing: both must outlive what is made from it.
struct Model {
  const model::Program& program;
  std::span<const float> parameters;  ///< the program's flat buffer

  const model::Architecture& architecture() const { return program.architecture; }
};

}  // namespace lookback::lens
