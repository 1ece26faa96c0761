// The weight matrices of each head, in place in the parameter buffer.
//
// Legend: D = d_model, H heads, E = d_head.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/base/result.h"
#include "lookback/lens/probe_result.h"
#include "lookback/model/program.h"

namespace lookback::lens {

/// A part of a parameter, in the buffer.
using Weights =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>,
               Eigen::Unaligned, Eigen::OuterStride<>>;

/// The weights of one head; the views are into the buffer. Without OV the head writes its keys into
/// its own columns of the stream: W_V = W_K, and W_O is the head's rows of the identity.
struct HeadWeights {
  HeadPlace place;
  Weights query, key, value;      ///< [D,E]
  std::optional<Weights> output;  ///< [E,D]; none: the identity's rows from `column`
  Eigen::Index column = 0;
  std::optional<double> smear;  ///< s = sigmoid(a_h), the share of a key's own token

  /// W_O [E,D].
  Eigen::MatrixXd written() const;
  /// W_O reading [E,n], for a reading [D,n].
  Eigen::MatrixXd through_output(const Eigen::MatrixXd& reading) const;
};

/// Views of parameters by name.
class ParameterViews {
 public:
  /// Both must outlive this. REQUIRES a buffer of the program's size.
  ParameterViews(const model::Program& program, std::span<const float> parameters)
      : program_(program), parameters_(parameters) {
    LOOKBACK_REQUIRE(parameters.size() == program.buffer_size);
  }

  /// A whole parameter [rows,cols]; none for a name that the program does not have.
  std::optional<Weights> whole(std::string_view name) const;
  /// `count` columns or rows from `first` on; none also if there are not that many.
  std::optional<Weights> columns(std::string_view name, std::size_t first, std::size_t count) const;
  std::optional<Weights> rows(std::string_view name, std::size_t first, std::size_t count) const;

 private:
  Weights view(std::size_t offset, std::size_t rows, std::size_t cols, std::size_t stride) const;

  const model::Program& program_;
  std::span<const float> parameters_;
};

/// The prefix of the names of a step's attention parameters: "blocks.0.attn.", or
/// "blocks.0.steps.1.attn." if a layer's steps have separate weights.
std::string attention_prefix(const model::Architecture& architecture, HeadPlace place);

/// Every head, layer by layer, in a layer step by step.
/// Errors: a buffer that is not the program's.
Result<std::vector<HeadWeights>> find_heads(const model::Program& program,
                                            std::span<const float> parameters);

/// Can `to` read what `from` writes: is it in a later layer, or in a later step of the same layer?
bool comes_before(HeadPlace from, HeadPlace to, std::size_t heads_per_step);

}  // namespace lookback::lens
