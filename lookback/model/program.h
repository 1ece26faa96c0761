// A Program is what an Architecture compiles to: parameters, activation slots, and a short list of
// steps over them. Forward runs the list, backward runs it in reverse: a new wiring is a new list.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lookback/math/shapes.h"
#include "lookback/model/architecture.h"

namespace lookback::model {

using Token = std::uint32_t;
using SlotId = std::size_t;
using ParameterId = std::size_t;
using SiteId = std::size_t;

/// Added to the variance under every norm's square root, as in PyTorch and TransformerLens.
inline constexpr double norm_epsilon = 1e-5;

/// One named tensor in the flat parameter buffer. Vectors have rows 1.
struct ParameterInfo {
  enum class Start { normal, zeros, ones };
  std::string name;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t offset = 0;  ///< in numbers, from the start of the buffer
  bool matrix = false;     ///< weight decay usually applies to matrices only
  Start start = Start::normal;
  double deviation = 0;  ///< of Start::normal
  /// For a matrix between hidden activations, the shape of one map from inputs (rows) to outputs
  /// (columns): for W_Q, W_K, W_V [D, H*E] one head's [D, E], for W_O [H*E, D] one head's [E, D],
  /// for an MLP the whole matrix. 0 by 0 for embeddings, positions, the unembedding and vectors.
  std::size_t map_rows = 0;
  std::size_t map_cols = 0;

  std::size_t size() const { return rows * cols; }
  bool is_hidden() const { return map_rows > 0; }
};

/// Where an activation lives. `stream` slots are [B*T, width]; `square` slots are [T,T] for each
/// sequence and head.
struct SlotInfo {
  enum class Kind { stream, square };
  Kind kind = Kind::stream;
  std::size_t width = 0;           ///< of a stream
  std::size_t heads = 0;           ///< > 0: the columns are the heads' widths side by side
  std::optional<SlotId> in_place;  ///< shares the memory of this slot, which is dead by then
  std::vector<SiteId> sites;       ///< its names
  std::size_t readers = 0;         ///< steps that take it as input, counted once for each time
  std::size_t step = 0;            ///< the number of the last step that writes it
  bool past = false;               ///< later positions read it, too, as they do keys and values
};

/// A place where a tap can be set, with a name in TransformerLens's style. `heads` 0: one matrix
/// per sequence; otherwise one per head, numbered from `first_head`.
struct SiteInfo {
  std::string name;
  std::size_t first_head = 0;
  std::size_t heads = 0;
  std::size_t step = 0;             ///< the number of the step that computes it
  std::optional<SlotId> slot = {};  ///< none: only an instrumented program has one (instrument.h)
};

// The steps. Shapes: in and out are [B*T, width of the slot] unless said otherwise.

struct Embed {  // out = W_E[token]
  ParameterId table;
  SlotId out;
};
struct Position {  // out = W_pos[t]
  ParameterId table;
  SlotId out;
};
struct Add {  // out = sum of in, + b
  std::vector<SlotId> in;
  SlotId out;
  std::optional<ParameterId> bias = {};
};
struct Normalize {  // out = (in - mean) / scale * weight + bias
  math::Norm norm;
  ParameterId weight;
  std::optional<ParameterId> bias;
  SlotId in, mean, scale, out;
};
struct Columns {
  std::size_t first = 0;
  std::size_t count = 0;
};
struct Linear {  // out = in W + b, or in W^T + b
  ParameterId weight;
  std::optional<ParameterId> bias;
  bool transposed = false;
  SlotId in, out;
  std::optional<Columns> read = {};     // only these of in, and the rows of W that they meet
  std::optional<Columns> written = {};  // only these of out, of W and of b
};
struct Smear {  // out_t = s in_t + (1 - s) in_{t-1}, s = sigmoid(logit), a head at a time
  ParameterId logit;
  SlotId in, out;
};
struct Rotate {  // out = in rotated by its position, a head at a time
  SlotId in, out;
};
struct Scores {  // out [T,T] = query key^T / sqrt(E), on and below the diagonal
  SlotId query, key, out;
};
struct Softmax {  // out [T,T] = softmax of each row of in, over the past
  SlotId in, out;
};
struct Mix {  // out = pattern value, a head at a time
  SlotId pattern, value, out;
};
struct Gelu {
  SlotId in, out;
};

using Step = std::variant<Embed, Position, Add, Normalize, Linear, Smear, Rotate, Scores, Softmax,
                          Mix, Gelu>;

struct Program {
  Architecture architecture;
  std::vector<ParameterInfo> parameters;
  std::vector<SlotInfo> slots;
  std::vector<SiteInfo> sites;
  std::vector<Step> steps;
  SlotId logits = 0;
  std::size_t buffer_size = 0;  ///< numbers in the flat parameter buffer, alignment gaps included

  /// Trainable numbers, without gaps.
  std::size_t parameter_count() const;
  const ParameterInfo* find_parameter(std::string_view name) const;
};

/// The slots that a step reads and writes, and those of the read whose earlier positions it reads.
struct Uses {
  std::vector<SlotId> reads, writes, past;
};
Uses uses_of(const Step& step);

/// Sets what slots and sites know of the steps: readers, step, past, slot.
void connect(Program& program);

/// Compiles an architecture. Errors: what validate() refuses.
Result<Program> compile(const Architecture& architecture);

/// The starting weights: a pure function of (program, seed). Size: buffer_size.
std::vector<float> initialize(const Program& program, std::uint64_t seed);

}  // namespace lookback::model
