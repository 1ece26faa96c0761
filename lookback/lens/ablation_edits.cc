#include "lookback/lens/ablation_edits.h"

#include <fmt/format.h>

#include "lookback/lens/evaluate.h"
#include "lookback/math/kernels.h"

namespace lookback::lens {
namespace {

using model::Architecture;

/// One number: the mean of a recorded [T,1] over its positions.
math::Matrix<const float> mean_of(math::Matrix<const float> column, Context& context) {
  double sum = 0;
  for (std::size_t t = 0; t < column.rows; ++t) sum += static_cast<double>(column(t, 0));
  const math::Matrix<float> mean = context.make(1, 1);
  mean(0, 0) = static_cast<float>(sum / static_cast<double>(column.rows));
  return mean;
}

/// The positions are added after the norm: what they bring to the query or key is taken from it.
Edits shortformer_position(const PathAblation& ablation, Context& context) {
  const Architecture& a = context.model().architecture();
  const bool query = ablation.input == Input::q;
  const math::Matrix<const float> change = context.change(ablation.from, ablation.replacement);
  const math::Matrix<float> projected = context.make(change.rows, a.d_head);
  math::matmul<float>(1, change, head_weight(context.model(), ablation.to, query ? 'Q' : 'K'),
                      projected, math::Update::set, math::Part::dense);
  return {
      model::add(fmt::format("blocks.{}.attn.hook_{}", ablation.to.layer, name_of(ablation.input)),
                 ablation.to.head, projected)};
}

}  // namespace

Edits edits_of(const PathAblation& ablation, Context& context) {
  const Architecture& a = context.model().architecture();
  const bool after_norm = a.positions == model::Positions::shortformer &&
                          ablation.from.kind == Component::Kind::position;
  if (after_norm) return shortformer_position(ablation, context);
  const HeadPlace to = ablation.to;
  Edits edits{model::add(input_name(a, to.layer, ablation.input), to.head,
                         context.change(ablation.from, ablation.replacement))};
  if (a.no_ov && ablation.input == Input::v) {
    const std::string pattern = pattern_name(to.layer);
    edits.push_back(model::set(pattern, to.head, context.own().at(pattern, to.head)));
  }
  return edits;
}

Edits edits_of(const LogitsAblation& ablation, Context& context) {
  const std::size_t layers = context.model().architecture().layers;
  return {model::add(fmt::format("blocks.{}.hook_resid_post", layers - 1), std::nullopt,
                     context.change(ablation.from, ablation.replacement))};
}

Edits edits_of(const HeadAblation& ablation, Context& context) {
  const std::string z = z_name(ablation.head.layer);
  return {model::set(z, ablation.head.head,
                     context.replaced(z, ablation.head.head, ablation.replacement))};
}

Edits edits_of(const PatternAblation& ablation, Context& context) {
  Edits edits;
  const auto freeze = [&](HeadPlace place) {
    const std::string pattern = pattern_name(place.layer);
    edits.push_back(model::set(pattern, place.head,
                               context.replaced(pattern, place.head, ablation.replacement)));
  };
  if (ablation.head) {
    freeze(*ablation.head);
  } else {
    for (const HeadPlace place : all_heads(context.model().architecture())) freeze(place);
  }
  return edits;
}

Edits edits_of(const ValueAblation& ablation, Context& context) {
  const Architecture& a = context.model().architecture();
  const auto flatten = [&](std::size_t layer, std::optional<std::size_t> head) {
    return model::copy(Edit::Kind::copy_mean, z_name(layer), head, value_name(a, layer));
  };
  if (ablation.head) return {flatten(ablation.head->layer, ablation.head->head)};
  Edits edits;
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    edits.push_back(flatten(layer, std::nullopt));
  }
  return edits;
}

Edits edits_of(const NormAblation& ablation, Context& context) {
  Edits edits;
  for (const NormPlace& norm : all_norms(context.model().architecture())) {
    if (ablation.norm && *ablation.norm != norm.name) continue;
    if (ablation.change == NormAblation::Change::frozen) {
      const std::string scale = norm.name + ".hook_scale";
      edits.push_back(model::set(scale, std::nullopt, mean_of(context.mean().at(scale), context)));
    } else {
      edits.push_back(
          model::copy(Edit::Kind::copy, norm.name + ".hook_normalized", std::nullopt, norm.stream));
    }
  }
  return edits;
}

std::vector<NormPlace> all_norms(const Architecture& a) {
  std::vector<NormPlace> norms;
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    const std::string block = fmt::format("blocks.{}", layer);
    if (a.norm_of(layer) != model::NormKind::none) {
      norms.push_back({block + ".ln1", block + ".hook_resid_pre"});
    }
    for (std::size_t step = 1; step < a.steps && a.norm_between != model::NormKind::none; ++step) {
      const std::string place = fmt::format("{}.steps.{}", block, step);
      norms.push_back({place + ".ln", place + ".hook_resid_pre"});
    }
    if (a.d_mlp > 0 && a.mlp_norm != model::NormKind::none) {
      norms.push_back({block + ".ln2", block + ".hook_resid_mid"});
    }
  }
  if (a.final_norm != model::NormKind::none) {
    norms.push_back({"ln_final", fmt::format("blocks.{}.hook_resid_post", a.layers - 1)});
  }
  return norms;
}

std::string input_name(const Architecture& a, std::size_t layer, Input input) {
  const Input read = a.no_ov && input == Input::v ? Input::k : input;
  return fmt::format("blocks.{}.hook_{}_input", layer, name_of(read));
}

std::string value_name(const Architecture& a, std::size_t layer) {
  const std::string attn = fmt::format("blocks.{}.attn.", layer);
  if (!a.no_ov) return attn + "hook_v";
  const bool rotary = a.positions == model::Positions::rotary;
  if (rotary && a.no_ov_value == model::NoOvValue::after_rotation) return attn + "hook_rot_k";
  return attn + (a.smeared_keys ? "hook_smeared_k" : "hook_k");
}

std::string z_name(std::size_t layer) { return fmt::format("blocks.{}.attn.hook_z", layer); }

std::vector<std::string> ablation_activations(const Architecture& a, bool patterns) {
  std::vector<std::string> names = component_activations(a);
  for (const NormPlace& norm : all_norms(a)) names.push_back(norm.name + ".hook_scale");
  for (std::size_t layer = 0; patterns && layer < a.layers; ++layer) {
    names.push_back(pattern_name(layer));
  }
  return names;
}

}  // namespace lookback::lens
