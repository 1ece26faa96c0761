#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "lookback/model/program.h"

namespace lookback::model {
namespace {

/// Parameters start at multiples of this many numbers: 64 bytes of float.
constexpr std::size_t alignment = 16;

/// Builds a Program by walking the model from the tokens to the logits.
class Compiler {
 public:
  explicit Compiler(const Architecture& a) : a_(a) { program_.architecture = a; }

  Program build() {
    SlotId stream = embed();
    for (std::size_t l = 0; l < a_.layers; ++l) {
      name(stream, fmt::format("blocks.{}.hook_resid_pre", l));
      stream = layer(l, stream);
      name(stream, fmt::format("blocks.{}.hook_resid_post", l));
    }
    unembed(normalize(a_.final_norm, "ln_final", "ln_final", stream));
    connect(program_);
    return std::move(program_);
  }

 private:
  struct StepWeights {
    ParameterId query, key;
    std::optional<ParameterId> value, output, smear, query_bias, key_bias, value_bias, output_bias;
  };

  // --- slots, names, parameters

  SlotId slot(std::size_t width, std::size_t heads = 0) {
    program_.slots.push_back({SlotInfo::Kind::stream, width, heads, std::nullopt, {}});
    return program_.slots.size() - 1;
  }

  SlotId square_slot(std::optional<SlotId> in_place) {
    program_.slots.push_back({SlotInfo::Kind::square, 0, a_.heads, in_place, {}});
    return program_.slots.size() - 1;
  }

  SiteId site(std::string site_name, std::size_t first_head = 0, std::size_t heads = 0) {
    program_.sites.push_back({std::move(site_name), first_head, heads});
    return program_.sites.size() - 1;
  }

  void name(SlotId slot_id, std::string slot_name) {
    program_.slots[slot_id].sites.push_back(site(std::move(slot_name)));
  }

  /// A name whose activation is shown one head at a time, numbered from the step's first head.
  void name_heads(SlotId slot_id, std::string slot_name, std::size_t step) {
    program_.slots[slot_id].sites.push_back(site(std::move(slot_name), step * a_.heads, a_.heads));
  }

  /// A name that the last step shows where it is taken apart (instrument.h), a head at a time.
  void name_apart(const std::string& site_name, std::size_t step) {
    for (std::size_t head = 0; head < a_.heads; ++head) {
      program_.sites[site(site_name, step * a_.heads + head, 1)].step = program_.steps.size() - 1;
    }
  }

  ParameterId parameter(std::string parameter_name, std::size_t rows, std::size_t cols, bool matrix,
                        ParameterInfo::Start start, double deviation) {
    const std::size_t offset = program_.buffer_size;
    program_.parameters.push_back(
        {std::move(parameter_name), rows, cols, offset, matrix, start, deviation});
    program_.buffer_size += (rows * cols + alignment - 1) / alignment * alignment;
    return program_.parameters.size() - 1;
  }

  ParameterId table(std::string table_name, std::size_t rows, double deviation) {
    return parameter(std::move(table_name), rows, a_.d_model, true, ParameterInfo::Start::normal,
                     deviation);
  }

  /// A weight matrix; `inputs` is the number of inputs that one of its outputs sums over a head.
  ParameterId weight(std::string weight_name, std::size_t rows, std::size_t cols,
                     std::size_t inputs, bool to_stream) {
    const Initialization& start = a_.initialization;
    double deviation = to_stream ? start.residual_gain : start.gain;
    if (start.fan_in) deviation /= std::sqrt(static_cast<double>(inputs));
    if (to_stream && start.depth_scaled) {
      deviation /= std::sqrt(2.0 * static_cast<double>(a_.layers));
    }
    return parameter(std::move(weight_name), rows, cols, true, ParameterInfo::Start::normal,
                     deviation);
  }

  /// A weight matrix between hidden activations, made of maps of this shape.
  ParameterId hidden_weight(std::string weight_name, std::size_t rows, std::size_t cols,
                            std::size_t map_rows, std::size_t map_cols, bool to_stream) {
    const ParameterId id = weight(std::move(weight_name), rows, cols, map_rows, to_stream);
    program_.parameters[id].map_rows = map_rows;
    program_.parameters[id].map_cols = map_cols;
    return id;
  }

  ParameterId vector(std::string vector_name, std::size_t size, ParameterInfo::Start start) {
    return parameter(std::move(vector_name), 1, size, false, start, 0);
  }

  std::optional<ParameterId> bias(std::string bias_name, std::size_t size) {
    if (!a_.biases) return std::nullopt;
    return vector(std::move(bias_name), size, ParameterInfo::Start::zeros);
  }

  // --- parts of the model

  SlotId embed() {
    const SlotId tokens = slot(a_.d_model);
    embedding_ = table("embed.W_E", a_.vocabulary, a_.initialization.embedding);
    program_.steps.push_back(Embed{embedding_, tokens});
    name(tokens, "hook_embed");
    if (a_.positions != Positions::learned && a_.positions != Positions::shortformer) {
      return tokens;
    }
    position_ = slot(a_.d_model);
    const ParameterId positions = table("pos_embed.W_pos", a_.context, a_.initialization.position);
    program_.steps.push_back(Position{positions, position_});
    name(position_, "hook_pos_embed");
    return a_.positions == Positions::learned ? add({tokens, position_}) : tokens;
  }

  SlotId add(std::vector<SlotId> terms) {
    if (terms.size() == 1) return terms.front();
    const SlotId sum = slot(a_.d_model);
    program_.steps.push_back(Add{std::move(terms), sum});
    return sum;
  }

  /// The normed stream, or the stream itself where there is no norm.
  SlotId normalize(NormKind kind, const std::string& weights, const std::string& hooks, SlotId in) {
    if (kind == NormKind::none) return in;
    const SlotId mean = slot(1);
    const SlotId scale = slot(1);
    const SlotId out = slot(a_.d_model);
    const ParameterId gain = vector(weights + ".w", a_.d_model, ParameterInfo::Start::ones);
    std::optional<ParameterId> shift;
    if (kind == NormKind::layernorm) {
      shift = vector(weights + ".b", a_.d_model, ParameterInfo::Start::zeros);
    }
    const math::Norm norm = kind == NormKind::layernorm ? math::Norm::layer : math::Norm::rms;
    program_.steps.push_back(Normalize{norm, gain, shift, in, mean, scale, out});
    name(scale, hooks + ".hook_scale");
    name(out, hooks + ".hook_normalized");
    return out;
  }

  SlotId linear(ParameterId weights, std::optional<ParameterId> shift, SlotId in, std::size_t width,
                std::size_t heads = 0) {
    const SlotId out = slot(width, heads);
    program_.steps.push_back(Linear{weights, shift, false, in, out});
    return out;
  }

  SlotId layer(std::size_t l, SlotId stream) {
    const std::string block = fmt::format("blocks.{}", l);
    const SlotId normed = normalize(a_.norm_of(l), block + ".ln1", block + ".ln1", stream);
    std::vector<SlotId> outputs;
    SlotId reading = normed;
    for (std::size_t s = 0; s < a_.steps; ++s) {
      if (s > 0) reading = step_input(block, s, normed, stream, outputs.back());
      outputs.push_back(attention(l, s, reading));
      if (a_.steps > 1) name(outputs.back(), fmt::format("{}.steps.{}.hook_attn_out", block, s));
    }
    const SlotId written = add(outputs);
    name(written, block + ".hook_attn_out");
    const SlotId after = add({stream, written});
    return a_.d_mlp == 0 ? after : mlp(block, after);
  }

  /// What step s > 0 reads: the layer's input, normed or raw, plus what the earlier steps wrote.
  /// `unnormed_` keeps that sum before the norm between the steps; the next step adds to it.
  SlotId step_input(const std::string& block, std::size_t s, SlotId normed, SlotId stream,
                    SlotId written) {
    const SlotId base = a_.step_input == StepInput::raw ? stream : normed;
    unnormed_ = add({s == 1 ? base : unnormed_, written});
    const std::string step = fmt::format("{}.steps.{}", block, s);
    name(unnormed_, step + ".hook_resid_pre");
    return normalize(a_.norm_between, step + ".ln", step + ".ln", unnormed_);
  }

  StepWeights attention_weights(const std::string& prefix) {
    const std::size_t width = a_.heads * a_.d_head;
    StepWeights w{};
    w.query = hidden_weight(prefix + ".W_Q", a_.d_model, width, a_.d_model, a_.d_head, false);
    w.query_bias = bias(prefix + ".b_Q", width);
    w.key = hidden_weight(prefix + ".W_K", a_.d_model, width, a_.d_model, a_.d_head, false);
    w.key_bias = bias(prefix + ".b_K", width);
    if (a_.smeared_keys) {
      w.smear = vector(prefix + ".smear", a_.heads, ParameterInfo::Start::zeros);
    }
    if (a_.no_ov) return w;
    w.value = hidden_weight(prefix + ".W_V", a_.d_model, width, a_.d_model, a_.d_head, false);
    w.value_bias = bias(prefix + ".b_V", width);
    w.output = hidden_weight(prefix + ".W_O", width, a_.d_model, a_.d_head, a_.d_model, true);
    w.output_bias = bias(prefix + ".b_O", a_.d_model);
    return w;
  }

  /// One attention step: heads that read `in` and write a [B*T, D] output, which is returned.
  SlotId attention(std::size_t l, std::size_t s, SlotId in) {
    const std::string block = fmt::format("blocks.{}", l);
    const std::string attn = block + ".attn";
    if (s == 0 || !a_.shared_weights) {
      const bool only = a_.steps == 1 || a_.shared_weights;
      weights_ = attention_weights(only ? attn : fmt::format("{}.steps.{}.attn", block, s));
    }
    const SlotId placed = a_.positions == Positions::shortformer ? add({in, position_}) : in;
    const SlotId query_raw = project(block, s, 'q', weights_.query, weights_.query_bias, placed);
    SlotId key_raw = project(block, s, 'k', weights_.key, weights_.key_bias, placed);
    if (weights_.smear) {
      const SlotId smeared = slot(a_.heads * a_.d_head, a_.heads);
      program_.steps.push_back(Smear{*weights_.smear, key_raw, smeared});
      name_heads(smeared, attn + ".hook_smeared_k", s);
      key_raw = smeared;
    }
    const SlotId query = rotate(attn + ".hook_rot_q", s, query_raw);
    const SlotId key = rotate(attn + ".hook_rot_k", s, key_raw);
    SlotId value = a_.no_ov_value == NoOvValue::after_rotation ? key : key_raw;
    if (!a_.no_ov) value = project(block, s, 'v', *weights_.value, weights_.value_bias, in);
    return write(attn, s, attend(attn, s, query, key), value);
  }

  SlotId project(const std::string& block, std::size_t s, char letter, ParameterId weights,
                 std::optional<ParameterId> shift, SlotId in) {
    const SlotId out = linear(weights, shift, in, a_.heads * a_.d_head, a_.heads);
    name_apart(fmt::format("{}.hook_{}_input", block, letter), s);
    name_heads(out, fmt::format("{}.attn.hook_{}", block, letter), s);
    return out;
  }

  SlotId rotate(std::string hook, std::size_t s, SlotId in) {
    if (a_.positions != Positions::rotary) return in;
    const SlotId out = slot(a_.heads * a_.d_head, a_.heads);
    program_.steps.push_back(Rotate{in, out});
    name_heads(out, std::move(hook), s);
    return out;
  }

  SlotId attend(const std::string& attn, std::size_t s, SlotId query, SlotId key) {
    const SlotId scores = square_slot(std::nullopt);
    program_.steps.push_back(Scores{query, key, scores});
    name_heads(scores, attn + ".hook_attn_scores", s);
    const SlotId pattern = square_slot(scores);
    program_.steps.push_back(Softmax{scores, pattern});
    name_heads(pattern, attn + ".hook_pattern", s);
    return pattern;
  }

  SlotId write(const std::string& attn, std::size_t s, SlotId pattern, SlotId value) {
    const SlotId mixed = slot(a_.heads * a_.d_head, a_.heads);
    program_.steps.push_back(Mix{pattern, value, mixed});
    name_heads(mixed, attn + ".hook_z", s);
    if (a_.no_ov) return mixed;
    const SlotId out = linear(*weights_.output, weights_.output_bias, mixed, a_.d_model);
    name_apart(attn + ".hook_result", s);
    return out;
  }

  SlotId mlp(const std::string& block, SlotId stream) {
    name(stream, block + ".hook_resid_mid");
    const SlotId in = normalize(a_.mlp_norm, block + ".ln2", block + ".ln2", stream);
    const ParameterId up =
        hidden_weight(block + ".mlp.W_in", a_.d_model, a_.d_mlp, a_.d_model, a_.d_mlp, false);
    const SlotId pre = linear(up, bias(block + ".mlp.b_in", a_.d_mlp), in, a_.d_mlp);
    name(pre, block + ".mlp.hook_pre");
    const SlotId post = slot(a_.d_mlp);
    program_.steps.push_back(Gelu{pre, post});
    name(post, block + ".mlp.hook_post");
    const ParameterId down =
        hidden_weight(block + ".mlp.W_out", a_.d_mlp, a_.d_model, a_.d_mlp, a_.d_model, true);
    const SlotId out = linear(down, bias(block + ".mlp.b_out", a_.d_model), post, a_.d_model);
    name(out, block + ".hook_mlp_out");
    return add({stream, out});
  }

  void unembed(SlotId stream) {
    const ParameterId weights =
        a_.tied_embeddings ? embedding_
                           : weight("unembed.W_U", a_.d_model, a_.vocabulary, a_.d_model, false);
    program_.logits = linear(weights, std::nullopt, stream, a_.vocabulary);
    std::get<Linear>(program_.steps.back()).transposed = a_.tied_embeddings;
    name(program_.logits, "logits");
  }

  Architecture a_;
  Program program_;
  ParameterId embedding_ = 0;
  SlotId position_ = 0;
  SlotId unnormed_ = 0;
  StepWeights weights_{};
};

}  // namespace

Result<Program> compile(const Architecture& architecture) {
  if (Status status = validate(architecture); !status) return status.error();
  return Compiler(architecture).build();
}

}  // namespace lookback::model
