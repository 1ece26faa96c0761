// The model's formulas once more, as a textbook would write them: one sequence, one head, one
// number at a time, with nothing shared with the program under test but the names of its parameters.
//
// Legend: T positions, V tokens, D = d_model, E = d_head. Rows are row vectors, y = x W.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/model/program.h"

namespace lookback::model::spec {

using Row = std::vector<double>;
using Rows = std::vector<Row>;  // one row for each position

Rows sum(const Rows& x, const Rows& y);

class Textbook {
 public:
  /// Both must outlive the object.
  Textbook(const Program& program, const std::vector<double>& parameters)
      : a_(program.architecture), program_(program), parameters_(parameters) {}

  /// logits [T,V] of the whole model, every option included.
  Rows logits(std::span<const Token> tokens) const;

  // The parts, for writing one setup out by hand.

  Rows token_embedding(std::span<const Token> tokens) const;
  Rows position_embedding(std::size_t length) const;
  /// LN or RMSNorm of every row with the parameters under `name`.
  Rows norm(NormKind kind, const std::string& name, const Rows& x) const;
  /// A(x): all heads of the attention with the parameters under `name`.
  Rows attention(const std::string& name, const Rows& x) const;
  Rows mlp(const std::string& name, const Rows& x) const;
  Rows unembed(const Rows& x) const;

 private:
  /// A parameter that the formulas name; a failure of the test where the program has none.
  const ParameterInfo& parameter(const std::string& name) const;
  double number(const std::string& name, std::size_t row, std::size_t col) const;
  bool has(const std::string& name) const { return program_.find_parameter(name) != nullptr; }
  Rows linear(const std::string& weight, const std::string& bias, const Rows& x) const;
  Rows head_columns(const Rows& x, std::size_t head) const;
  Rows rotated(const Rows& x) const;
  Rows smeared(double share, const Rows& x) const;
  Rows head(const std::string& name, std::size_t h, const Rows& x) const;
  Rows layer(std::size_t l, const Rows& x) const;

  const Architecture& a_;
  const Program& program_;
  const std::vector<double>& parameters_;
};

}  // namespace lookback::model::spec
