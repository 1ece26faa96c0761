// A plan as taps: how our own executor carries it out.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lookback/model/plan.h"
#include "lookback/model/taps.h"

namespace lookback::model {

/// The taps of one plan for runs of one sequence. Not thread-safe.
template <class N>
class PlanTaps {
 public:
  /// Receives what a plan records.
  using See = std::function<void(const Tapped&, math::Matrix<const N>)>;

  /// Program, plan, tokens [T] and what `see` needs must outlive this. Errors: those of check (plan.h)
  /// and a recorded name that the program does not have.
  Status connect(const Program& program, const Plan& plan, std::span<const Token> tokens,
                 const See& see);

  /// Of the last plan, until the next.
  const Taps<N>& taps() const { return *taps_; }

 private:
  /// What an edit needs from the run besides x.
  struct Source {
    std::vector<std::vector<N>> seen;  ///< by head of the layer, row after row
    std::vector<N> gradient;           ///< add_tokens: by the logits, row after row
    std::vector<N>& of_head(std::size_t head);
  };

  Status connect(const Edit& edit, Source& source);
  Status connect_tokens(const Edit& edit, std::span<const Token> tokens, Source& source);
  Status connect_backward(const Edit& edit);

  std::optional<Taps<N>> taps_;
  std::vector<Source> sources_;  ///< by edit
};

}  // namespace lookback::model
