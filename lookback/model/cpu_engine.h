// The engines of this program: a worker takes one sequence at a time through the steps while its
// activations stay in the core's cache.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "lookback/model/engine.h"

namespace lookback::model {

/// Runs programs with our own kernels, in float, on its own threads. The same bits for any number
/// of threads, on one instruction set. Not for several callers at a time.
class CpuEngine final : public Engine {
 public:
  explicit CpuEngine(std::size_t threads) : workers_(threads) {}
  std::string_view name() const override { return "cpu"; }
  std::unique_ptr<Session> open(const Program& program, Keep keep) override;
  base::Workers& workers() override { return workers_; }

 private:
  base::Workers workers_;
};

/// The specification: runs programs by the scalar definitions of math/reference.h, in double, and
/// rounds only its results. Slow; other engines are compared with it.
class ScalarEngine final : public Engine {
 public:
  explicit ScalarEngine(std::size_t threads) : workers_(threads) {}
  std::string_view name() const override { return "scalar"; }
  std::unique_ptr<Session> open(const Program& program, Keep keep) override;
  base::Workers& workers() override { return workers_; }

 private:
  base::Workers workers_;
};

}  // namespace lookback::model
