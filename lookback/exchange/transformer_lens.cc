#include "lookback/exchange/transformer_lens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lookback/base/require.h"

namespace lookback::exchange {
namespace {

using model::Architecture;
using model::NormKind;
using model::Positions;

Error cannot(std::string_view what) {
  return {fmt::format("TransformerLens has no {}; --to torch exports every architecture", what)};
}

Status check_attention(const Architecture& a) {
  if (a.steps > 1) {
    return cannot(fmt::format("sequential steps in one layer (model.steps is {})", a.steps));
  }
  if (a.smeared_keys) return cannot("smeared keys (model.smeared_keys)");
  // The key before rotation is a linear map of the stream, and can serve as W_V.
  const bool linear =
      a.positions != Positions::shortformer && a.no_ov_value == model::NoOvValue::before_rotation;
  if (a.no_ov && !linear) {
    return cannot("heads that write keys with their positions (model.no_ov)");
  }
  return {};
}

/// The one kind of norm in all layers.
Result<NormKind> norm_of_layers(const Architecture& a) {
  const NormKind kind = a.norm_of(0);
  for (std::size_t l = 1; l < a.layers; ++l) {
    if (a.norm_of(l) != kind) return cannot("norm in some layers only (model.layers_without_norm)");
  }
  if (a.d_mlp > 0 && a.mlp_norm != kind) {
    return cannot("norm before the MLP of another kind than before attention (model.mlp_norm)");
  }
  return kind;
}

Status check_final_norm(NormKind layers, NormKind final_norm) {
  const bool final_rms = layers == NormKind::layernorm && final_norm == NormKind::rmsnorm;
  if (layers == final_norm || final_rms) return {};
  return cannot("final norm of this kind beside the layers' (model.final_norm, model.norm)");
}

const char* name_of(NormKind kind) { return kind == NormKind::layernorm ? "LN" : "RMS"; }

const char* name_of(Positions positions) {
  if (positions == Positions::rotary) return "rotary";
  return positions == Positions::shortformer ? "shortformer" : "standard";
}

void add_norm(LayoutBuilder& layout, const std::string& name, NormKind kind, std::size_t width) {
  if (kind == NormKind::none) return;
  layout.same(name + ".w", {width}, name + ".w");
  if (kind == NormKind::layernorm) layout.same(name + ".b", {width}, name + ".b");
}

/// W_V and W_O for a model without them: a head writes its keys, heads side by side.
void add_keys_as_values(LayoutBuilder& layout, const std::string& attn, const Architecture& a) {
  layout.columns_by_head(attn + ".W_V", a.heads, {a.heads, a.d_model, a.d_head}, attn + ".W_K");
  layout.last().repeats = attn + ".W_K";
  layout.same(attn + ".b_V", {a.heads, a.d_head}, attn + ".b_K");
  if (a.biases) layout.last().repeats = attn + ".b_K";
  layout.identity(attn + ".W_O", {a.heads, a.d_head, a.d_model}, a.d_model);
  layout.zeros(attn + ".b_O", {a.d_model});
}

void add_attention(LayoutBuilder& layout, const std::string& attn, const Architecture& a) {
  for (const char* letter : {"Q", "K", "V"}) {
    if (a.no_ov && *letter == 'V') continue;
    const std::string weight = attn + ".W_" + letter, bias = attn + ".b_" + letter;
    layout.columns_by_head(weight, a.heads, {a.heads, a.d_model, a.d_head}, weight);
    layout.same(bias, {a.heads, a.d_head}, bias);
  }
  if (a.no_ov) return add_keys_as_values(layout, attn, a);
  layout.same(attn + ".W_O", {a.heads, a.d_head, a.d_model}, attn + ".W_O");
  layout.same(attn + ".b_O", {a.d_model}, attn + ".b_O");
}

void add_mlp(LayoutBuilder& layout, const std::string& mlp, const Architecture& a) {
  layout.same(mlp + ".W_in", {a.d_model, a.d_mlp}, mlp + ".W_in");
  layout.same(mlp + ".b_in", {a.d_mlp}, mlp + ".b_in");
  layout.same(mlp + ".W_out", {a.d_mlp, a.d_model}, mlp + ".W_out");
  layout.same(mlp + ".b_out", {a.d_model}, mlp + ".b_out");
}

// Fields that do not affect what the model computes.
constexpr std::array<std::string_view, 14> indifferent_keys{
    "model_name",
    "init_weights",
    "default_prepend_bos",
    "tokenizer_prepends_bos",
    "seed",
    "device",
    "n_devices",
    "n_params",
    "use_split_qkv_input",
    "use_attn_result",
    "use_hook_mlp_in",
    "use_attn_in",
    "use_hook_tokens",
    "initializer_range",
};

constexpr std::array<FixedFlag, 10> fixed_keys{{
    {"use_attn_scale", true},
    {"rotary_adjacent_pairs", false},
    {"scale_attn_by_inverse_layer_idx", false},
    {"use_local_attn", false},
    {"parallel_attn_mlp", false},
    {"gated_mlp", false},
    {"post_embedding_ln", false},
    {"use_qk_norm", false},
    {"use_normalization_before_and_after", false},
    {"load_in_4bit", false},
}};

const std::array<std::string, 3> position_names{"standard", "shortformer", "rotary"};
constexpr std::array<Positions, 3> positions_of_names{Positions::learned, Positions::shortformer,
                                                      Positions::rotary};
const std::array<std::string, 2> norm_names{"LN", "RMS"};
const std::array<std::string, 1> causal{"causal"};
const std::array<std::string, 1> gelu_new{"gelu_new"};

void read_sizes(base::TableReader& reader, Architecture& a) {
  a.layers = required_size(reader, "n_layers");
  a.d_model = required_size(reader, "d_model");
  a.context = required_size(reader, "n_ctx");
  a.d_head = required_size(reader, "d_head");
  a.heads = required_size(reader, "n_heads");
  a.vocabulary = required_size(reader, "d_vocab");
  const auto vocabulary = static_cast<std::int64_t>(a.vocabulary);
  reader.integer("d_vocab_out", vocabulary, vocabulary, vocabulary);
}

void read_mlp(base::TableReader& reader, Architecture& a) {
  const bool attention_only = reader.flag("attn_only", false);
  if (!attention_only) a.d_mlp = required_size(reader, "d_mlp");
  // In a model of attention only, HookedTransformerConfig keeps these fields without using them.
  if (attention_only) reader.integer("d_mlp", 0, 0, INT64_MAX);
  if (!attention_only) reader.require("act_fn", "\"gelu_new\"");
  if (!attention_only) reader.choice("act_fn", gelu_new[0], gelu_new);
  if (attention_only) reader.text("act_fn", "", 100);
}

void read_norms(base::TableReader& reader, const JsonConfig& config, Architecture& a) {
  const bool none = config.nulls.contains("normalization_type");
  if (!none) reader.require("normalization_type", "\"LN\", \"RMS\" or null");
  const std::string name = reader.choice("normalization_type", norm_names[0], norm_names);
  a.norm = none ? NormKind::none : name == "LN" ? NormKind::layernorm : NormKind::rmsnorm;
  a.mlp_norm = a.norm;
  a.final_norm = a.norm;
  const bool final_rms = reader.flag("final_rms", false);
  if (final_rms && a.norm == NormKind::layernorm) a.final_norm = NormKind::rmsnorm;
}

void read_positions(base::TableReader& reader, Architecture& a) {
  reader.require("positional_embedding_type", "\"standard\", \"shortformer\" or \"rotary\"");
  const std::string name =
      reader.choice("positional_embedding_type", position_names[0], position_names);
  a.positions = positions_of_names[static_cast<std::size_t>(
      std::ranges::find(position_names, name) - position_names.begin())];
  if (a.positions != Positions::rotary) return;
  a.rotary_base = reader.number("rotary_base", 10000, 1, 1e12);
  const auto width = static_cast<std::int64_t>(a.d_head);
  reader.integer("rotary_dim", width, width, width);
}

}  // namespace

Result<Architecture> as_transformer_lens(const Architecture& architecture) {
  if (Status attention = check_attention(architecture); !attention) return attention.error();
  const Result<NormKind> norm = norm_of_layers(architecture);
  if (!norm) return norm.error();
  if (Status final_norm = check_final_norm(*norm, architecture.final_norm); !final_norm) {
    return final_norm.error();
  }
  Architecture a = architecture;
  a.norm = a.mlp_norm = *norm;
  a.layers_without_norm.clear();
  if (a.positions == Positions::none) a.positions = Positions::learned;  // with a table of zeros
  if (a.positions != Positions::rotary) a.rotary_base = Architecture{}.rotary_base;
  a.no_ov = false;  // the keys stand in W_V
  a.biases = true;
  a.tied_embeddings = false;
  a.initialization = {};
  return a;
}

nlohmann::ordered_json transformer_lens_config(const Architecture& a) {
  LOOKBACK_REQUIRE(bool(as_transformer_lens(a)));
  nlohmann::ordered_json config{
      {"model_name", "lookback"}, {"n_layers", a.layers},        {"d_model", a.d_model},
      {"n_ctx", a.context},       {"d_head", a.d_head},          {"n_heads", a.heads},
      {"d_vocab", a.vocabulary},  {"d_vocab_out", a.vocabulary}, {"attn_only", a.d_mlp == 0}};
  if (a.d_mlp > 0) {
    config["d_mlp"] = a.d_mlp;
    config["act_fn"] = gelu_new[0];
  }
  config["eps"] = model::norm_epsilon;
  config["normalization_type"] = nullptr;
  if (a.norm_of(0) != NormKind::none) config["normalization_type"] = name_of(a.norm_of(0));
  config["final_rms"] = a.norm_of(0) != a.final_norm;
  config["positional_embedding_type"] = name_of(a.positions);
  if (a.positions == Positions::rotary) {
    config["rotary_dim"] = a.d_head;
    config["rotary_base"] = a.rotary_base;
    config["rotary_adjacent_pairs"] = false;
  }
  config["attention_dir"] = causal[0];
  config["use_attn_scale"] = true;
  config["default_prepend_bos"] = false;
  config["init_weights"] = false;  // all of them come from model.safetensors
  return config;
}

Result<Architecture> read_transformer_lens_config(const JsonConfig& config) {
  base::TableReader reader = reader_without(config, indifferent_keys);
  Architecture a;
  read_sizes(reader, a);
  read_mlp(reader, a);
  read_norms(reader, config, a);
  read_positions(reader, a);
  reader.number("eps", model::norm_epsilon, model::norm_epsilon, model::norm_epsilon);
  reader.choice("attention_dir", causal[0], causal);
  require_flags(reader, fixed_keys, "lookback supports no other");
  if (Status status = reader.finish(); !status) return status.error();
  a.biases = true;
  if (Status status = model::validate(a); !status) {
    return status.error().at(reader.file_name());
  }
  return as_transformer_lens(a);
}

Layout transformer_lens_layout(const model::Program& program) {
  LOOKBACK_REQUIRE(bool(as_transformer_lens(program.architecture)));
  const Architecture& a = program.architecture;
  LayoutBuilder layout(program);
  layout.same("embed.W_E", {a.vocabulary, a.d_model}, "embed.W_E");
  if (a.positions != Positions::rotary) {
    layout.same("pos_embed.W_pos", {a.context, a.d_model}, "pos_embed.W_pos");
  }
  for (std::size_t l = 0; l < a.layers; ++l) {
    const std::string block = fmt::format("blocks.{}", l);
    add_norm(layout, block + ".ln1", a.norm_of(l), a.d_model);
    add_attention(layout, block + ".attn", a);
    if (a.d_mlp == 0) continue;
    add_norm(layout, block + ".ln2", a.mlp_norm, a.d_model);
    add_mlp(layout, block + ".mlp", a);
  }
  add_norm(layout, "ln_final", a.final_norm, a.d_model);
  if (a.tied_embeddings) {
    layout.transposed("unembed.W_U", {a.d_model, a.vocabulary}, "embed.W_E");
    layout.last().repeats = "embed.W_E";
  } else {
    layout.same("unembed.W_U", {a.d_model, a.vocabulary}, "unembed.W_U");
  }
  layout.zeros("unembed.b_U", {a.vocabulary});
  return layout.take();
}

bool is_transformer_lens_buffer(std::string_view tensor) {
  constexpr std::array<std::string_view, 4> buffers{".attn.mask", ".attn.IGNORE",
                                                    ".attn.rotary_sin", ".attn.rotary_cos"};
  return tensor.starts_with("blocks.") &&
         std::ranges::any_of(buffers, [&](auto name) { return tensor.ends_with(name); });
}

}  // namespace lookback::exchange
