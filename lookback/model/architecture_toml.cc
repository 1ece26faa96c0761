#include "lookback/model/architecture_toml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace lookback::model {
namespace {

// The names of options, in the order of their enumerations.
const std::array<std::string, 3> norm_names = {"none", "layernorm", "rmsnorm"};
const std::array<std::string, 4> position_names = {"none", "learned", "shortformer", "rotary"};
const std::array<std::string, 2> step_input_names = {"normed", "raw"};
const std::array<std::string, 2> no_ov_value_names = {"before-rotation", "after-rotation"};

template <class Option>
Option option_of(std::span<const std::string> names, const std::string& name) {
  return static_cast<Option>(std::ranges::find(names, name) - names.begin());
}

template <class Option>
const std::string& name_of(std::span<const std::string> names, Option option) {
  return names[static_cast<std::size_t>(option)];
}

template <class Option>
Option read_option(base::TableReader& table, std::string_view key, Option fallback,
                   std::span<const std::string> names) {
  return option_of<Option>(names, table.choice(key, name_of(names, fallback), names));
}

/// Bounds for any size here; validate() has those of each.
std::size_t read_size(base::TableReader& table, std::string_view key, std::size_t fallback) {
  constexpr std::int64_t most = 1 << 24;
  return static_cast<std::size_t>(table.integer(key, static_cast<std::int64_t>(fallback), 0, most));
}

std::vector<std::size_t> read_layers(base::TableReader& model, std::string_view key) {
  constexpr std::size_t most = 1 << 10;
  const std::vector<std::int64_t> read = model.integers(key, {}, most, 0, most);
  return {read.begin(), read.end()};
}

Initialization read_initialization(base::TableReader& init) {
  constexpr double most = 1e6;
  Initialization start;
  start.embedding = init.number("embedding", start.embedding, 0, most);
  start.position = init.number("position", start.position, 0, most);
  start.fan_in = init.flag("fan_in", start.fan_in);
  start.gain = init.number("gain", start.gain, 0, most);
  start.residual_gain = init.number("residual_gain", start.residual_gain, 0, most);
  start.depth_scaled = init.flag("depth_scaled", start.depth_scaled);
  return start;
}

}  // namespace

Architecture read_architecture(base::TableReader model, base::TableReader init) {
  Architecture a;
  a.vocabulary = read_size(model, "vocabulary", a.vocabulary);
  a.context = read_size(model, "context", a.context);
  a.d_model = read_size(model, "d_model", a.d_model);
  a.d_head = read_size(model, "d_head", a.d_head);
  a.layers = read_size(model, "layers", a.layers);
  a.heads = read_size(model, "heads", a.heads);
  a.steps = read_size(model, "steps", a.steps);
  a.shared_weights = model.flag("shared_weights", a.shared_weights);
  a.norm_between = read_option(model, "norm_between", a.norm_between, norm_names);
  a.step_input = read_option(model, "step_input", a.step_input, step_input_names);
  a.norm = read_option(model, "norm", a.norm, norm_names);
  a.layers_without_norm = read_layers(model, "layers_without_norm");
  a.mlp_norm = read_option(model, "mlp_norm", a.mlp_norm, norm_names);
  a.final_norm = read_option(model, "final_norm", a.final_norm, norm_names);
  a.positions = read_option(model, "positions", a.positions, position_names);
  a.rotary_base = model.number("rotary_base", a.rotary_base, 1, 1e12);
  a.biases = model.flag("biases", a.biases);
  a.d_mlp = read_size(model, "d_mlp", a.d_mlp);
  a.tied_embeddings = model.flag("tied_embeddings", a.tied_embeddings);
  a.smeared_keys = model.flag("smeared_keys", a.smeared_keys);
  a.no_ov = model.flag("no_ov", a.no_ov);
  a.no_ov_value = read_option(model, "no_ov_value", a.no_ov_value, no_ov_value_names);
  a.initialization = read_initialization(init);
  return a;
}

std::string to_toml(const Architecture& a) {
  const auto option = [](std::span<const std::string> names, auto value) {
    return '"' + name_of(names, value) + '"';
  };
  std::string text = "[model]\n";
  const auto line = [&](std::string_view key, const auto& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  line("vocabulary", a.vocabulary);
  line("context", a.context);
  line("d_model", a.d_model);
  line("d_head", a.d_head);
  line("layers", a.layers);
  line("heads", a.heads);
  line("steps", a.steps);
  line("shared_weights", a.shared_weights);
  line("norm_between", option(norm_names, a.norm_between));
  line("step_input", option(step_input_names, a.step_input));
  line("norm", option(norm_names, a.norm));
  line("layers_without_norm", fmt::format("[{}]", fmt::join(a.layers_without_norm, ", ")));
  line("mlp_norm", option(norm_names, a.mlp_norm));
  line("final_norm", option(norm_names, a.final_norm));
  line("positions", option(position_names, a.positions));
  line("rotary_base", a.rotary_base);
  line("biases", a.biases);
  line("d_mlp", a.d_mlp);
  line("tied_embeddings", a.tied_embeddings);
  line("smeared_keys", a.smeared_keys);
  line("no_ov", a.no_ov);
  line("no_ov_value", option(no_ov_value_names, a.no_ov_value));
  text += "\n[init]\n";
  line("embedding", a.initialization.embedding);
  line("position", a.initialization.position);
  line("fan_in", a.initialization.fan_in);
  line("gain", a.initialization.gain);
  line("residual_gain", a.initialization.residual_gain);
  line("depth_scaled", a.initialization.depth_scaled);
  return text;
}

}  // namespace lookback::model
