#include "lookback/exchange/huggingface.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "lookback/base/require.h"
#include "lookback/language/vocabulary.h"

namespace lookback::exchange {
namespace {

using model::Architecture;
using model::NormKind;
using model::Positions;

/// What an architecture must have to be GPT-2's.
struct Demand {
  bool met;
  const char* what;
};

std::array<Demand, 9> demands(const Architecture& a) {
  return {{
      {a.steps == 1, "one attention step in each layer (model.steps = 1)"},
      {!a.smeared_keys, "plain keys (model.smeared_keys = false)"},
      {!a.no_ov, "W_V and W_O (model.no_ov = false)"},
      {a.positions == Positions::learned, "learned positions (model.positions = \"learned\")"},
      {a.norm == NormKind::layernorm && a.layers_without_norm.empty(),
       "a LayerNorm before attention in every layer (model.norm, model.layers_without_norm)"},
      {a.d_mlp > 0, "an MLP in every layer (model.d_mlp)"},
      {a.mlp_norm == NormKind::layernorm, "a LayerNorm before the MLP (model.mlp_norm)"},
      {a.final_norm == NormKind::layernorm, "a LayerNorm at the end (model.final_norm)"},
      {a.heads * a.d_head == a.d_model,
       "heads that split d_model (model.heads x model.d_head = model.d_model)"},
  }};
}

// Keys that do not affect what the model computes from tokens to logits, without dropout.
constexpr std::array<std::string_view, 36> indifferent{
    "_name_or_path",
    "_num_labels",
    "architectures",
    "attn_pdrop",
    "bos_token_id",
    "dtype",
    "embd_pdrop",
    "eos_token_id",
    "finetuning_task",
    "gradient_checkpointing",
    "id2label",
    "initializer_range",
    "is_decoder",
    "label2id",
    "n_ctx",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "pad_token_id",
    "reorder_and_upcast_attn",
    "resid_pdrop",
    "return_dict",
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "task_specific_params",
    "tokenizer_class",
    "torch_dtype",
    "transformers_version",
    "use_cache",
    "use_return_dict",
    "vocab_file",
    "model_max_length",
    "license",
};

constexpr std::array<FixedFlag, 3> fixed_flags{{{"scale_attn_weights", true},
                                                {"scale_attn_by_inverse_layer_idx", false},
                                                {"add_cross_attention", false}}};

const std::array<std::string, 1> model_types{"gpt2"};
/// Two names of the tanh form (transformers, activations.py).
const std::array<std::string, 2> activations{"gelu_new", "gelu_pytorch_tanh"};

void add_norm(LayoutBuilder& layout, const std::string& theirs, const std::string& ours,
              std::size_t width) {
  layout.same(theirs + ".weight", {width}, ours + ".w");
  layout.same(theirs + ".bias", {width}, ours + ".b");
}

void add_layer(LayoutBuilder& layout, const std::string& theirs, const std::string& ours,
               const Architecture& a) {
  const std::string attn = ours + ".attn", mlp = ours + ".mlp";
  const std::array<std::string, 3> weights{attn + ".W_Q", attn + ".W_K", attn + ".W_V"};
  const std::array<std::string, 3> biases{attn + ".b_Q", attn + ".b_K", attn + ".b_V"};
  add_norm(layout, theirs + ".ln_1", ours + ".ln1", a.d_model);
  layout.side_by_side(theirs + ".attn.c_attn.weight", {a.d_model, 3 * a.d_model}, weights);
  layout.side_by_side(theirs + ".attn.c_attn.bias", {3 * a.d_model}, biases);
  layout.same(theirs + ".attn.c_proj.weight", {a.d_model, a.d_model}, attn + ".W_O");
  layout.same(theirs + ".attn.c_proj.bias", {a.d_model}, attn + ".b_O");
  add_norm(layout, theirs + ".ln_2", ours + ".ln2", a.d_model);
  layout.same(theirs + ".mlp.c_fc.weight", {a.d_model, a.d_mlp}, mlp + ".W_in");
  layout.same(theirs + ".mlp.c_fc.bias", {a.d_mlp}, mlp + ".b_in");
  layout.same(theirs + ".mlp.c_proj.weight", {a.d_mlp, a.d_model}, mlp + ".W_out");
  layout.same(theirs + ".mlp.c_proj.bias", {a.d_model}, mlp + ".b_out");
}

void read_heads(base::TableReader& reader, Architecture& a) {
  a.heads = required_size(reader, "n_head");
  if (a.d_model % a.heads != 0) {
    reader.fail("n_head",
                fmt::format("found {}, allowed: a divisor of n_embd = {}", a.heads, a.d_model));
  }
  a.d_head = a.d_model / a.heads;
}

}  // namespace

Result<Architecture> as_huggingface(const Architecture& architecture) {
  for (const Demand& demand : demands(architecture)) {
    if (demand.met) continue;
    return Error{
        fmt::format("GPT2LMHeadModel needs {}, which this model lacks; --to torch exports every "
                    "architecture",
                    demand.what)};
  }
  Architecture a = architecture;
  a.rotary_base = Architecture{}.rotary_base;
  a.biases = true;
  a.initialization = {};
  return a;
}

nlohmann::ordered_json huggingface_config(const Architecture& a, std::optional<data::Token> end) {
  LOOKBACK_REQUIRE(bool(as_huggingface(a)));
  const nlohmann::ordered_json end_id = end ? nlohmann::ordered_json(*end) : nullptr;
  return {{"model_type", model_types[0]},
          {"architectures", {"GPT2LMHeadModel"}},
          {"vocab_size", a.vocabulary},
          {"n_positions", a.context},
          {"n_embd", a.d_model},
          {"n_layer", a.layers},
          {"n_head", a.heads},
          {"n_inner", a.d_mlp},
          {"activation_function", activations[0]},
          {"layer_norm_epsilon", model::norm_epsilon},
          {"scale_attn_weights", true},
          {"scale_attn_by_inverse_layer_idx", false},
          {"tie_word_embeddings", a.tied_embeddings},
          {"attn_pdrop", 0.0},
          {"embd_pdrop", 0.0},
          {"resid_pdrop", 0.0},
          {"bos_token_id", end_id},
          {"eos_token_id", end_id}};
}

nlohmann::ordered_json huggingface_generation_config(data::Token end) {
  return {{"bos_token_id", end}, {"eos_token_id", end}};
}

nlohmann::ordered_json huggingface_tokenizer_config(const Architecture& a, bool has_end) {
  nlohmann::ordered_json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                                {"model_max_length", a.context},
                                {"clean_up_tokenization_spaces", false}};
  if (!has_end) return config;
  for (const char* role : {"bos_token", "eos_token"}) config[role] = language::end_of_text;
  return config;
}

Result<Architecture> read_huggingface_config(const JsonConfig& config) {
  base::TableReader reader = reader_without(config, indifferent);
  Architecture a;
  reader.choice("model_type", model_types[0], model_types);
  a.vocabulary = required_size(reader, "vocab_size");
  a.context = required_size(reader, "n_positions");
  a.d_model = required_size(reader, "n_embd");
  a.layers = required_size(reader, "n_layer");
  read_heads(reader, a);
  const auto four_times = static_cast<std::int64_t>(4 * a.d_model);  // GPT2MLP's, without n_inner
  a.d_mlp = static_cast<std::size_t>(reader.integer("n_inner", four_times, 1, INT64_MAX));
  reader.choice("activation_function", activations[0], activations);
  reader.number("layer_norm_epsilon", model::norm_epsilon, model::norm_epsilon,
                model::norm_epsilon);
  a.tied_embeddings = reader.flag("tie_word_embeddings", true);
  require_flags(reader, fixed_flags, "lookback supports no other");
  if (Status status = reader.finish(); !status) return status.error();
  a.biases = true;
  if (Status status = model::validate(a); !status) {
    return status.error().at(reader.file_name());
  }
  return as_huggingface(a);
}

Layout huggingface_layout(const model::Program& program, const std::string& prefix) {
  LOOKBACK_REQUIRE(bool(as_huggingface(program.architecture)));
  const Architecture& a = program.architecture;
  LayoutBuilder layout(program);
  layout.same(prefix + "wte.weight", {a.vocabulary, a.d_model}, "embed.W_E");
  layout.same(prefix + "wpe.weight", {a.context, a.d_model}, "pos_embed.W_pos");
  for (std::size_t l = 0; l < a.layers; ++l) {
    add_layer(layout, fmt::format("{}h.{}", prefix, l), fmt::format("blocks.{}", l), a);
  }
  add_norm(layout, prefix + "ln_f", "ln_final", a.d_model);
  if (a.tied_embeddings) {  // save_pretrained leaves it out, other programs do not
    layout.same("lm_head.weight", {a.vocabulary, a.d_model}, "embed.W_E");
    layout.last().repeats = prefix + "wte.weight";
    layout.last().optional = true;
  } else {
    layout.transposed("lm_head.weight", {a.vocabulary, a.d_model}, "unembed.W_U");
  }
  return layout.take();
}

bool is_huggingface_buffer(std::string_view tensor) {
  return tensor.ends_with(".attn.bias") || tensor.ends_with(".attn.masked_bias");
}

}  // namespace lookback::exchange
