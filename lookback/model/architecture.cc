#include "lookback/model/architecture.h"

#include <fmt/format.h>

#include <cmath>

namespace lookback::model {
namespace {

struct Size {
  const char* name;
  std::size_t value, least, most;
};

Status check_sizes(const Architecture& a) {
  const Size sizes[] = {
      {"vocabulary", a.vocabulary, 2, 1U << 20},
      {"context", a.context, 2, 1U << 16},
      {"d_model", a.d_model, 1, 1U << 16},
      {"d_head", a.d_head, 1, 1U << 14},
      {"layers", a.layers, 1, 1U << 10},
      {"heads", a.heads, 1, 1U << 10},
      {"steps", a.steps, 1, 1U << 8},
      {"d_mlp", a.d_mlp, 0, 1U << 18},
  };
  for (const Size& size : sizes) {
    if (size.value < size.least || size.value > size.most) {
      return Error{fmt::format("model.{} is {}; allowed: {} to {}", size.name, size.value,
                               size.least, size.most)};
    }
  }
  return {};
}

/// Each size may be as large as is useful; together they must fit a machine, which is checked
/// before anything is allocated for them.
Status check_whole(const Architecture& a) {
  constexpr std::size_t most_attention_steps = 1024;
  constexpr double most_parameters = 4.3e9;  // 2^32: a checkpoint of 16 GiB, training four times it
  if (a.layers * a.steps > most_attention_steps) {
    return Error{fmt::format("model.layers x model.steps is {} x {} = {}; allowed: at most {}",
                             a.layers, a.steps, a.layers * a.steps, most_attention_steps)};
  }
  const auto number = [](std::size_t size) { return static_cast<double>(size); };
  const double attention = 4.0 * number(a.d_model) * number(a.heads) * number(a.d_head) *
                           number(a.shared_weights ? 1 : a.steps);
  const double mlp = 2.0 * number(a.d_model) * number(a.d_mlp);
  const double tables =
      number(a.d_model) * (number(a.vocabulary) * (a.tied_embeddings ? 1 : 2) + number(a.context));
  const double parameters = tables + number(a.layers) * (attention + mlp);
  if (parameters > most_parameters) {
    return Error{fmt::format("the sizes in [model] give {:.2g} parameters; allowed: at most {:.2g}",
                             parameters, most_parameters)};
  }
  return {};
}

Status check_numbers(const Architecture& a) {
  const Initialization& start = a.initialization;
  const std::pair<const char*, double> numbers[] = {{"init.embedding", start.embedding},
                                                    {"init.position", start.position},
                                                    {"init.gain", start.gain},
                                                    {"init.residual_gain", start.residual_gain}};
  for (const auto& [name, value] : numbers) {
    if (!std::isfinite(value) || value < 0) {
      return Error{fmt::format("{} is {}; it must be a finite number >= 0", name, value)};
    }
  }
  if (!std::isfinite(a.rotary_base) || a.rotary_base <= 1) {
    return Error{fmt::format("model.rotary_base is {}; it must be above 1", a.rotary_base)};
  }
  return {};
}

/// Options that only several sequential steps can mean.
Status check_steps(const Architecture& a) {
  if (a.steps > 1) return {};
  if (a.shared_weights) {
    return Error{
        "model.shared_weights needs model.steps > 1: with one step there is nothing to share"};
  }
  if (a.norm_between != NormKind::none) {
    return Error{
        "model.norm_between needs model.steps > 1: with one step there is nothing between"};
  }
  if (a.step_input != StepInput::normed) {
    return Error{
        "model.step_input = \"raw\" needs model.steps > 1: the first step always reads the "
        "layer's normed input"};
  }
  return {};
}

/// Options of parts that the model does not have. Setting an absent MLP's norm to none is no
/// contradiction.
Status check_absent_parts(const Architecture& a) {
  if (a.d_mlp == 0 && a.mlp_norm == NormKind::rmsnorm) {
    return Error{"model.mlp_norm needs model.d_mlp > 0: there is no MLP to norm the input of"};
  }
  if (a.positions != Positions::rotary && a.rotary_base != Architecture{}.rotary_base) {
    return Error{"model.rotary_base needs model.positions = \"rotary\""};
  }
  return {};
}

Status check_wiring(const Architecture& a) {
  for (const std::size_t layer : a.layers_without_norm) {
    if (layer < a.layers) continue;
    return Error{fmt::format("model.layers_without_norm names layer {}, but the layers are 0 to {}",
                             layer, a.layers - 1)};
  }
  if (a.positions == Positions::rotary && a.d_head % 2 != 0) {
    return Error{fmt::format(
        "model.d_head is {}, but rotary positions rotate pairs, so it must be even", a.d_head)};
  }
  if (a.no_ov && a.heads * a.d_head != a.d_model) {
    return Error{
        fmt::format("model.no_ov writes the heads' outputs side by side into the stream: "
                    "heads x d_head ({} x {} = {}) must equal d_model ({})",
                    a.heads, a.d_head, a.heads * a.d_head, a.d_model)};
  }
  if (a.no_ov_value == NoOvValue::after_rotation &&
      !(a.no_ov && a.positions == Positions::rotary)) {
    return Error{
        "model.no_ov_value = \"after-rotation\" needs model.no_ov = true and rotary positions"};
  }
  return {};
}

}  // namespace

Status validate(const Architecture& a) {
  for (const auto check :
       {check_sizes, check_whole, check_numbers, check_steps, check_absent_parts, check_wiring}) {
    if (Status status = check(a); !status) return status;
  }
  return {};
}

}  // namespace lookback::model
