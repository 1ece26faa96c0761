// Models in every wiring that circuits must know: small, with all parameters away from the special
// values they start with.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "lookback/model/program.h"
#include "tests/lens/models.h"
#include "tests/model/running.h"

namespace lookback::lens {

struct Wiring {
  std::string name;
  model::Architecture architecture;
};

inline std::ostream& operator<<(std::ostream& out, const Wiring& wiring) {
  return out << wiring.name;
}

inline std::string wiring_name(const ::testing::TestParamInfo<Wiring>& instance) {
  return instance.param.name;
}

/// V 7, T 8, D 12, E 4 (6 without OV), two heads beside one another.
inline Wiring wiring(std::string name, const std::function<void(model::Architecture&)>& change) {
  model::Architecture a;
  a.vocabulary = 7;
  a.context = 8;
  a.d_model = 12;
  a.d_head = 4;
  a.heads = 2;
  change(a);
  if (a.no_ov) a.d_head = a.d_model / a.heads;
  return {std::move(name), a};
}

inline std::vector<Wiring> wirings() {
  using model::NormKind;
  using model::Positions;
  const auto steps = [](model::Architecture& a, std::size_t count, NormKind between,
                        model::StepInput input) {
    a.steps = count;
    a.norm_between = between;
    a.step_input = input;
  };
  constexpr auto normed = model::StepInput::normed;
  constexpr auto raw = model::StepInput::raw;
  return {
      wiring("Parallel", [](auto&) {}),
      wiring("TwoLayer", [](auto& a) { a.layers = 2; }),
      wiring("Sequential", [&](auto& a) { steps(a, 2, NormKind::none, normed); }),
      wiring("NormedLayernorm", [&](auto& a) { steps(a, 3, NormKind::layernorm, normed); }),
      wiring("NormedRmsnorm", [&](auto& a) { steps(a, 2, NormKind::rmsnorm, normed); }),
      wiring("Raw", [&](auto& a) { steps(a, 2, NormKind::none, raw); }),
      wiring("RawLayernorm", [&](auto& a) { steps(a, 2, NormKind::layernorm, raw); }),
      wiring("RawRmsnorm", [&](auto& a) { steps(a, 3, NormKind::rmsnorm, raw); }),
      wiring("Shared",
             [&](auto& a) {
               steps(a, 3, NormKind::layernorm, normed);
               a.shared_weights = true;
             }),
      wiring("LayersOfSteps",
             [&](auto& a) {
               steps(a, 2, NormKind::layernorm, normed);
               a.layers = 2;
             }),
      wiring("NoOv",
             [](auto& a) {
               a.layers = 2;
               a.no_ov = true;
             }),
      wiring("NoOvSmearedSteps",
             [&](auto& a) {
               steps(a, 3, NormKind::none, normed);
               a.no_ov = a.smeared_keys = a.biases = true;
             }),
      wiring("NoOvAfterRotation",
             [](auto& a) {
               a.layers = 2;
               a.no_ov = true;
               a.no_ov_value = model::NoOvValue::after_rotation;
               a.positions = Positions::rotary;
             }),
      wiring("Tied",
             [](auto& a) {
               a.layers = 2;
               a.tied_embeddings = true;
             }),
      wiring("Smeared",
             [](auto& a) {
               a.layers = 2;
               a.smeared_keys = true;
             }),
      wiring("Rotary",
             [](auto& a) {
               a.layers = 2;
               a.positions = Positions::rotary;
               a.biases = true;
             }),
      wiring("Shortformer",
             [&](auto& a) {
               steps(a, 2, NormKind::none, normed);
               a.layers = 2;
               a.positions = Positions::shortformer;
             }),
      wiring("Rmsnorm",
             [](auto& a) {
               a.layers = 3;
               a.norm = a.final_norm = NormKind::rmsnorm;
               a.positions = Positions::none;
             }),
      wiring("NoNorm",
             [](auto& a) {
               a.layers = 2;
               a.norm = a.final_norm = NormKind::none;
             }),
      wiring("LayersWithoutNorm",
             [&](auto& a) {
               steps(a, 2, NormKind::layernorm, normed);
               a.layers = 2;
               a.layers_without_norm = {1};
             }),
      wiring("BiasesAndMlp",
             [](auto& a) {
               a.layers = 2;
               a.biases = true;
               a.d_mlp = 5;
             }),
  };
}

/// With random parameters, all of them floats.
inline SmallModel random_model(const model::Architecture& architecture) {
  Result<model::Program> program = model::compile(architecture);
  if (!program) return {};
  const std::vector<double> numbers = model::spec::random_parameters(*program);
  return {std::move(*program), model::spec::as<float>(numbers)};
}

}  // namespace lookback::lens
