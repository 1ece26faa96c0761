// What lies between a write to the residual stream and a read from it: the norms, in order.
//
// LayerNorm of a row vector x [D] is (x - mean(x)) / scale(x) * w + b. Its centering and its gain
// are linear, F = (I - 1 1^T / D) diag(w), and are FOLDED exactly into the weights that read it.
// Its scale depends on the whole stream, so it is FROZEN: taken as 1; any other value just divides
// what is read. Its bias is the same for all tokens and is IGNORED. RMSNorm has no centering and no
// bias.
//
// Which norms lie where (compile.h, docs/science.md): the first step of a layer reads the stream
// through the layer's norm. A later step reads base + what the earlier steps wrote through
// `norm_between`; with `step_input` "normed" the base has passed the layer's norm too, but the
// earlier steps' outputs have not.
//
// Legend: V tokens, D = d_model.
#pragma once

#include <Eigen/Dense>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/head_weights.h"
#include "lookback/lens/probe_result.h"
#include "lookback/model/program.h"

namespace lookback::lens {

/// How a part of the model that is not a plain product of matrices was treated.
enum class Treatment {
  folded,   ///< is in the circuit, exactly
  frozen,   ///< stands in the way as a factor that depends on the input; taken as 1
  ignored,  ///< is left out
};

/// For people: "folded", "blocks.0.ln1: gain and centering".
struct CircuitNote {
  Treatment treatment = Treatment::folded;
  std::string what;

  bool operator==(const CircuitNote&) const = default;
};

struct PassedNorm {
  std::string name;  ///< "blocks.0.ln1"
  model::NormKind kind = model::NormKind::layernorm;
  Eigen::RowVectorXd gain;  ///< w [D]
};

/// The norms on a path, in the order in which they are passed.
class StreamPath {
 public:
  explicit StreamPath(std::vector<PassedNorm> norms) : norms_(std::move(norms)) {}

  /// F_1 F_2 ... weights: weights [D,n] that read at the end of the path, moved to its start.
  Eigen::MatrixXd read_by(Eigen::MatrixXd weights) const;
  /// rows F_1 F_2 ...: rows [n,D] written at its start, as they arrive at its end.
  Eigen::MatrixXd passed_by(Eigen::MatrixXd rows) const;
  /// Three notes per norm: gain and centering, scale, bias. Notes already there are not repeated.
  void note(std::vector<CircuitNote>& notes) const;

 private:
  std::vector<PassedNorm> norms_;
};

/// Adds a note unless it is there.
void add_note(std::vector<CircuitNote>& notes, Treatment treatment, std::string what);

/// Finds the paths of a program. The program and the parameters must outlive it.
class StreamPaths {
 public:
  /// REQUIRES a buffer of the program's size.
  StreamPaths(const model::Program& program, std::span<const float> parameters)
      : architecture_(program.architecture), views_(program, parameters) {}

  /// From the stream before `to`'s layer (the embeddings, an earlier layer) to what the head reads.
  StreamPath from_stream(HeadPlace to) const;
  /// From an earlier head's output to what `to` reads. REQUIRES that `from` comes before `to`.
  StreamPath between(HeadPlace from, HeadPlace to) const;
  /// From any head's output to W_U.
  StreamPath to_logits() const;

 private:
  void pass(model::NormKind kind, const std::string& name, std::vector<PassedNorm>& norms) const;
  void pass_norm_between(HeadPlace to, std::vector<PassedNorm>& norms) const;

  const model::Architecture& architecture_;
  ParameterViews views_;
};

}  // namespace lookback::lens
