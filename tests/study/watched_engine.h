// The CPU engine with somebody who watches it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "lookback/model/cpu_engine.h"

namespace lookback::study::spec {

/// Calls `before` each time a session is opened: between two parts of an inspection or evaluation.
class WatchedEngine : public model::Engine {
 public:
  explicit WatchedEngine(std::function<void()> before) : Engine(1), before_(std::move(before)) {}
  std::string_view name() const override { return engine_.name(); }
  std::unique_ptr<model::Session> open(const model::Program& program, model::Keep keep) override {
    before_();
    return engine_.open(program, keep);
  }
  std::string bits() const override { return engine_.bits(); }

 private:
  std::function<void()> before_;
  model::CpuEngine engine_{1};
};

}  // namespace lookback::study::spec
