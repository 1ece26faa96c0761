// Small models with clamps, in any number type.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lookback/model/cpu_engine.h"
#include "lookback/model/plan_taps.h"
#include "lookback/train/clamp_plans.h"
#include "tests/model/running.h"

namespace lookback::train::spec {

using model::spec::Ready;

inline constexpr std::uint64_t forever = 1'000'000;

inline Clamp pin(ClampKind kind, std::size_t layer, std::size_t head, double gain = 0) {
  return {"a", kind, layer, head, "", FreezeTo::initial, gain, 0, forever};
}
inline Clamp frozen(const std::string& activation, FreezeTo to,
                    std::optional<std::size_t> head = {}) {
  return {"b", ClampKind::freeze, 0, head, activation, to, 0, 0, forever};
}

/// Two layers of two heads; eight tokens of seven kinds, so that some come again.
inline model::Architecture small() {
  model::Architecture a;
  a.vocabulary = 7;
  a.context = 8;
  a.d_model = 12;
  a.d_head = 4;
  a.layers = 2;
  a.heads = 2;
  return a;
}
inline model::Architecture sequential() {
  model::Architecture a = small();
  a.layers = 1;
  a.heads = 1;
  a.steps = 2;
  return a;
}
inline model::Architecture no_ov() {
  model::Architecture a = small();
  a.positions = model::Positions::rotary;
  a.d_head = 6;
  a.no_ov = true;
  return a;
}
inline model::Architecture everything() {
  model::Architecture a = small();
  a.positions = model::Positions::shortformer;
  a.d_mlp = 10;
  a.biases = true;
  a.smeared_keys = true;
  a.tied_embeddings = true;
  return a;
}

/// One sequence with its clamps, whose starting weights are others than the present ones.
template <class N>
struct Clamped {
  Clamped(const Ready& ready, const std::vector<Clamp>& clamps)
      : work(ready.program, clamps,
             model::spec::as<float>(model::spec::random_parameters(ready.program, 2)), engine) {
    const std::vector<std::vector<data::Token>> sequences{ready.tokens};
    const auto plans = work.prepare(0, sequences);
    if (!plans) {
      ADD_FAILURE() << plans.error().message;
      return;
    }
    const auto nobody = [](const model::Tapped&, math::Matrix<const N>) {};
    const Status connected = made.connect(ready.program, plans->front(), ready.tokens, nobody);
    EXPECT_TRUE(connected) << connected.error().message;
    taps = &made.taps();
  }

  model::ScalarEngine engine{1};
  ClampPlans work;
  model::PlanTaps<N> made;
  const model::Taps<N>* taps = nullptr;
};

}  // namespace lookback::train::spec
