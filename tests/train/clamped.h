// Small models with clamps, in any number type.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lookback/train/clamp_taps.h"
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
  Clamped(const Ready& ready, const std::vector<Clamp>& given)
      : clamps(given),
        starting(model::spec::as<N>(model::spec::random_parameters(ready.program, 2))),
        work(ready.program, clamps, starting, ready.length),
        taps(work.prepare(0, ready.tokens)) {}

  std::vector<Clamp> clamps;
  std::vector<N> starting;
  ClampTaps<N> work;
  const model::Taps<N>* taps;
};

}  // namespace lookback::train::spec
