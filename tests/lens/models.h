// Small models for the tests of this folder.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/model/program.h"

namespace lookback::lens {

/// Two layers of two heads, for small_probe(): V 16, T up to 48.
inline model::Architecture small_architecture() {
  model::Architecture a;
  a.vocabulary = 16;
  a.context = 48;
  a.d_model = 16;
  a.d_head = 8;
  a.layers = 2;
  a.heads = 2;
  return a;
}

/// The same with one head in each layer.
inline model::Architecture one_head_a_layer() {
  model::Architecture a = small_architecture();
  a.heads = 1;
  return a;
}

struct SmallModel {
  model::Program program;
  std::vector<float> parameters;

  /// The numbers of one parameter; none for a name that the model does not have.
  std::span<float> parameter(std::string_view name) {
    const model::ParameterInfo* info = program.find_parameter(name);
    if (info == nullptr) return {};
    return std::span(parameters).subspan(info->offset, info->size());
  }
};

/// At its random start. An architecture that does not compile gives an empty program.
inline SmallModel make_model(const model::Architecture& architecture) {
  Result<model::Program> program = model::compile(architecture);
  if (!program) return {};
  std::vector<float> parameters = model::initialize(*program, 5);
  return {std::move(*program), std::move(parameters)};
}

}  // namespace lookback::lens
