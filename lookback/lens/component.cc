#include "lookback/lens/component.h"

#include <fmt/format.h>

#include <algorithm>

#include "lookback/base/require.h"
#include "lookback/lens/head_weights.h"
#include "lookback/math/kernels.h"

namespace lookback::lens {
namespace {

using Kind = Component::Kind;
using model::Architecture;

/// The components that attention steps first .. last - 1 of a layer write.
void append_steps(const Architecture& a, std::size_t layer, std::size_t last,
                  std::vector<Component>& components) {
  for (std::size_t step = 0; step < last; ++step) {
    for (std::size_t h = 0; h < a.heads; ++h) {
      components.push_back({Kind::head, layer, step * a.heads + h});
    }
    if (a.biases && !a.no_ov) components.push_back({Kind::bias, layer, step});
  }
}

/// The stream before a layer, or after the last one.
std::vector<Component> stream_before(const Architecture& a, std::size_t layer) {
  std::vector<Component> components{{Kind::token, 0, 0}};
  if (a.positions == model::Positions::learned) components.push_back({Kind::position, 0, 0});
  for (std::size_t l = 0; l < layer; ++l) {
    append_steps(a, l, a.steps, components);
    if (a.d_mlp > 0) components.push_back({Kind::mlp, l, 0});
  }
  return components;
}

/// Whether later steps of the layer read a normed base, not the components of the stream.
bool has_base(const Architecture& a, std::size_t layer) {
  return a.steps > 1 && a.step_input == model::StepInput::normed &&
         a.norm_of(layer) != model::NormKind::none;
}

/// Empty if the program has no such parameter.
math::Matrix<const float> parameter(const Model& model, const std::string& name) {
  const model::ParameterInfo* info = model.program.find_parameter(name);
  if (info == nullptr) return {};
  return {model.parameters.data() + info->offset, info->rows, info->cols, info->cols};
}

std::string bias_name(const Architecture& a, const Component& bias) {
  return attention_prefix(a, {bias.layer, bias.number * a.heads}) + "b_O";
}

void copy_rows(math::Matrix<const float> from, math::Matrix<float> out) {
  LOOKBACK_REQUIRE((from.rows == 1 || from.rows == out.rows) && from.cols == out.cols);
  for (std::size_t r = 0; r < out.rows; ++r) {
    std::copy_n(from.row(from.rows == 1 ? 0 : r), from.cols, out.row(r));
  }
}

void head_value(const Model& model, const Recording& recording, const Component& head,
                math::Matrix<float> out) {
  const Architecture& a = model.architecture();
  const std::size_t column = head.number % a.heads * a.d_head;
  const math::Matrix<const float> z =
      recording.at(fmt::format("blocks.{}.attn.hook_z", head.layer), head.number);
  if (a.no_ov) {
    for (std::size_t r = 0; r < out.rows; ++r) std::fill_n(out.row(r), out.cols, 0.0F);
    copy_rows(z, out.columns(column, a.d_head));
    return;
  }
  const auto w_o = parameter(model, attention_prefix(a, {head.layer, head.number}) + "W_O");
  math::matmul<float>(1, z, w_o.row_block(column, a.d_head), out, math::Update::set,
                      math::Part::dense);
}

}  // namespace

std::string name_of(const Component& c) {
  switch (c.kind) {
    case Kind::token:
      return "token";
    case Kind::position:
      return "position";
    case Kind::base:
      return fmt::format("base {}", c.layer);
    case Kind::head:
      return fmt::format("head {}.{}", c.layer, c.number);
    case Kind::bias:
      return fmt::format("bias {}.{}", c.layer, c.number);
    case Kind::mlp:
      return fmt::format("mlp {}", c.layer);
  }
  return {};
}

std::vector<Component> components_read(const Architecture& a, HeadPlace reader) {
  const std::size_t step = reader.head / a.heads;
  std::vector<Component> components;
  if (step > 0 && has_base(a, reader.layer)) {
    components = {{Kind::base, reader.layer, 0}};
  } else {
    components = stream_before(a, reader.layer);
  }
  append_steps(a, reader.layer, step, components);
  return components;
}

std::vector<Component> components_of_logits(const Architecture& a) {
  return stream_before(a, a.layers);
}

bool reads_earlier_parts(const Architecture& a, HeadPlace reader) {
  return reader.layer > 0 || reader.head >= a.heads;
}

bool reads(const Architecture& a, HeadPlace reader, HeadPlace earlier) {
  const std::vector<Component> read = components_read(a, reader);
  return std::ranges::find(read, Component{Kind::head, earlier.layer, earlier.head}) != read.end();
}

std::vector<HeadPlace> all_heads(const Architecture& a) {
  std::vector<HeadPlace> heads;
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    for (std::size_t head = 0; head < a.heads_per_layer(); ++head) heads.push_back({layer, head});
  }
  return heads;
}

std::vector<std::string> component_activations(const Architecture& a) {
  std::vector<std::string> names{"hook_embed"};
  if (a.positions == model::Positions::learned || a.positions == model::Positions::shortformer) {
    names.emplace_back("hook_pos_embed");
  }
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    if (has_base(a, layer)) names.push_back(fmt::format("blocks.{}.ln1.hook_normalized", layer));
    names.push_back(fmt::format("blocks.{}.attn.hook_z", layer));
    if (a.d_mlp > 0) names.push_back(fmt::format("blocks.{}.hook_mlp_out", layer));
  }
  return names;
}

void component_value(const Model& model, const Recording& recording, const Component& component,
                     math::Matrix<float> out) {
  switch (component.kind) {
    case Kind::token:
      return copy_rows(recording.at("hook_embed"), out);
    case Kind::position:
      return copy_rows(recording.at("hook_pos_embed"), out);
    case Kind::base:
      return copy_rows(recording.at(fmt::format("blocks.{}.ln1.hook_normalized", component.layer)),
                       out);
    case Kind::head:
      return head_value(model, recording, component, out);
    case Kind::bias:
      return copy_rows(parameter(model, bias_name(model.architecture(), component)), out);
    case Kind::mlp:
      return copy_rows(recording.at(fmt::format("blocks.{}.hook_mlp_out", component.layer)), out);
  }
}

math::Matrix<const float> head_weight(const Model& model, HeadPlace head, char letter) {
  const Architecture& a = model.architecture();
  const auto whole = parameter(model, fmt::format("{}W_{}", attention_prefix(a, head), letter));
  return whole.columns(head.head % a.heads * a.d_head, a.d_head);
}

}  // namespace lookback::lens
