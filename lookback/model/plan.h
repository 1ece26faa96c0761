// A plan is data: which activations a run changes, and which it shows. Every ablation, patch,
// freeze and clamp is such a plan; an engine carries it out.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/math/view.h"
#include "lookback/model/program.h"

namespace lookback::model {

/// One change of one activation x. Edits of the same activation are made in the order of the list.
///
/// In the backward pass, what an edit puts in place of x is a constant, from which no gradient
/// passes to x or to its source. The exceptions: with add, x keeps its gradient; with multiply, x
/// gets it times the value; and with add_tokens, the source gets a gradient too.
struct Edit {
  enum class Kind {
    set,        ///< x := value
    zero,       ///< x := 0
    add,        ///< x := x + value
    multiply,   ///< x := x * value, number by number
    copy,       ///< x := the activation `source` of this very run, of the same head
    copy_mean,  ///< x := the mean of `source` over all its positions, in every row
    hold,       ///< x := x, as a constant
    add_tokens,  ///< x := x + gain * sum of source[t,s] [v = token s] over s <= t: x is "logits" [T,V],
                 ///< source a pattern [T,T]: what a head says that copies what it attends to
  };

  std::string activation;                ///< a name of activation_names
  std::optional<std::size_t> head = {};  ///< in its layer over all steps; none: every head
  Kind kind = Kind::set;
  math::Matrix<const float> value =
      {};                     ///< set, add, multiply: [T,width], or [1,width] for all rows
  std::string source = {};    ///< copy, copy_mean, add_tokens: computed before x
  double gain = 1;            ///< of add_tokens
  std::size_t first_row = 0;  ///< positions first_row .. end_row - 1 are changed
  std::size_t end_row = static_cast<std::size_t>(-1);  ///< at most T; the default means T

  /// Whether it takes its values from another activation of the run.
  bool has_source() const {
    return kind == Kind::copy || kind == Kind::copy_mean || kind == Kind::add_tokens;
  }
  /// Whether it takes them from `value`.
  bool has_value() const {
    return kind == Kind::set || kind == Kind::add || kind == Kind::multiply;
  }
};

using Edits = std::vector<Edit>;

/// What a run does besides computing. By default, nothing.
struct Plan {
  Edits edits = {};
  std::vector<std::string> recorded =
      {};  ///< activations that are shown, as they are after the edits
};

/// x := value, at all positions.
Edit set(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value);
/// x := x + value, at all positions.
Edit add(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value);
/// x := `source` of the same run (copy), or its mean (copy_mean), at all positions.
Edit copy(Edit::Kind kind, std::string activation, std::optional<std::size_t> head,
          std::string source);

/// The number of the first step that must be rerun to see or change the activation, of this head or
/// of all. Errors: a name that the program does not have (with the nearest one it has), a head that
/// the activation does not have.
Result<std::size_t> first_step(const Program& program, const std::string& activation,
                               std::optional<std::size_t> head);

/// The same for everything that a plan changes, copies from or shows; for an empty plan, the number
/// of all steps.
Result<std::size_t> first_step(const Program& program, const Plan& plan);

/// Columns that the activation has at `length` positions. REQUIRES that first_step accepts the name.
std::size_t activation_width(const Program& program, const std::string& activation,
                             std::size_t length);

/// How many heads show the activation, over the steps of its layer; 0 where it has none.
std::size_t head_count(const Program& program, const std::string& activation);

/// Whether an edit can be made in a run of `length` positions. Errors: as first_step; a value of
/// another shape; rows beyond the sequence; a source that is not computed yet or has another shape.
Status check(const Program& program, std::size_t length, const Edit& edit);

}  // namespace lookback::model
