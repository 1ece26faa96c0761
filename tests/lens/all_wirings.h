// Every way in which what a head reads can be wired, at a size at which all of them run at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lookback/base/random.h"
#include "tests/lens/models.h"

namespace lookback::lens {

inline constexpr std::size_t wiring_length = 5;

/// All combinations that compile of: layers, steps, what later steps read and behind which norm,
/// parallel heads, the layers' norms, positions, values, biases, MLPs.
inline std::vector<model::Architecture> all_wirings() {
  using model::NormKind;
  std::vector<model::Architecture> all;
  model::Architecture a;
  a.vocabulary = 7;
  a.context = wiring_length;
  a.d_model = 8;
  // A mixed-radix count: every digit is one option.
  for (std::size_t number = 0; number < 2U * 3 * 2 * 2 * 2 * 2 * 4 * 3 * 2 * 2; ++number) {
    std::size_t rest = number;
    const auto choice = [&rest](std::size_t levels) {
      const std::size_t level = rest % levels;
      rest /= levels;
      return level;
    };
    a.layers = 1 + choice(2);
    a.steps = 1 + choice(3);
    a.step_input = static_cast<model::StepInput>(choice(2));
    a.norm_between = choice(2) == 0 ? NormKind::none : NormKind::rmsnorm;
    a.heads = 1 + choice(2);
    a.norm = choice(2) == 0 ? NormKind::none : NormKind::layernorm;
    a.positions = static_cast<model::Positions>(choice(4));
    const std::size_t value = choice(3);
    a.no_ov = value > 0;
    a.no_ov_value =
        value == 2 ? model::NoOvValue::after_rotation : model::NoOvValue::before_rotation;
    a.biases = choice(2) > 0;
    a.d_mlp = choice(2) == 0 ? 0 : 6;
    a.d_head = a.d_model / a.heads;
    if (model::validate(a)) all.push_back(a);
  }
  return all;
}

/// A model whose parameters are all away from the special values they start with.
inline SmallModel shaken_model(const model::Architecture& architecture, std::uint64_t seed = 1) {
  SmallModel model = make_model(architecture);
  base::RandomStream random(seed, base::StreamPurpose::test, 77);
  for (const model::ParameterInfo& info : model.program.parameters) {
    for (float& number : model.parameter(info.name)) {
      number += static_cast<float>(0.2 * random.normal());
    }
  }
  return model;
}

inline std::vector<model::Token> random_tokens(std::size_t vocabulary, std::size_t count,
                                               std::uint64_t seed = 1) {
  base::RandomStream random(seed, base::StreamPurpose::test, 78);
  std::vector<model::Token> tokens(count);
  for (model::Token& token : tokens) token = static_cast<model::Token>(random.below(vocabulary));
  return tokens;
}

}  // namespace lookback::lens
