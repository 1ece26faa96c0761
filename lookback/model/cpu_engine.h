// The engines of this program: a worker takes one sequence at a time through the steps while its
// activations stay in the core's cache.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "lookback/model/engine.h"

namespace lookback::model {

/// Runs programs with our own kernels, in float, on its own threads. The same bits for any number
/// of threads, on one instruction set. Not for several callers at a time.
class CpuEngine final : public Engine {
 public:
  using Engine::Engine;
  std::string_view name() const override { return "cpu"; }
  std::string bits() const override;
  std::unique_ptr<Session> open(const Program& program, Keep keep) override;
};

/// The specification: runs programs by the scalar definitions of math/reference.h, in double, and
/// rounds only its results. Slow; other engines are compared with it.
class ScalarEngine final : public Engine {
 public:
  using Engine::Engine;
  std::string_view name() const override { return "scalar"; }
  std::string bits() const override { return "float64"; }
  std::unique_ptr<Session> open(const Program& program, Keep keep) override;
};

}  // namespace lookback::model
