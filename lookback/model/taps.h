// Taps: the only door to activations. A tap reads or replaces an activation by name as the program
// runs, and its gradient as the program runs backward. A program without taps pays nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/math/view.h"
#include "lookback/model/program.h"

namespace lookback::model {

/// Which matrix a hook is given: that of one sequence of the batch and, if the activation has
/// heads, of one head of its layer (otherwise head is 0).
struct Tapped {
  std::string_view name;
  std::size_t sequence = 0;
  std::size_t head = 0;
};

/// Sees the activation of one sequence and head, and may write to it: [T,D] for streams, [T,E] for
/// q, k, v and z, [T,D] for q_input, k_input, v_input (the stream before the norm, each head's own)
/// and result, [T,T] for attn_scores (-infinity above the diagonal) and pattern (zero above it, and
/// kept zero), [T,1] for a norm's scale.
template <class N>
using Hook = std::function<void(const Tapped&, math::Matrix<N>)>;

/// The hooks set on one program. A forward hook that replaces an activation makes it a constant or
/// another function of itself: set a backward hook on the same name that turns the gradient with
/// respect to the new value into that with respect to the old one (zero for a constant).
template <class N>
class Taps {
 public:
  explicit Taps(const Program& program) : program_(&program), hooks_(program.sites.size()) {}

  /// Hooks on one activation run in the order in which they were set; backward hooks in the reverse
  /// order, as the chain rule requires. Errors: a name that the program does not have, with the
  /// nearest one it has.
  Status on_forward(std::string_view name, const Hook<N>& hook) {
    return set(name, &SiteHooks::forward, hook);
  }
  Status on_backward(std::string_view name, const Hook<N>& hook) {
    return set(name, &SiteHooks::backward, hook);
  }
  /// Replaces the activation by a constant: `hook` writes it, and no gradient passes.
  Status replace(std::string_view name, const Hook<N>& hook);

  const std::vector<Hook<N>>& forward(SiteId site) const { return hooks_[site].forward; }
  const std::vector<Hook<N>>& backward(SiteId site) const { return hooks_[site].backward; }
  bool any(SiteId site) const {
    return !hooks_[site].forward.empty() || !hooks_[site].backward.empty();
  }
  /// The numbers of the steps, from `first_step` on, that must be taken apart to show what is tapped
  /// (instrument.h), ascending.
  std::vector<std::size_t> steps_apart(std::size_t first_step) const;

 private:
  struct SiteHooks {
    std::vector<Hook<N>> forward, backward;
  };

  Status set(std::string_view name, std::vector<Hook<N>> SiteHooks::*list, const Hook<N>& hook);

  const Program* program_;
  std::vector<SiteHooks> hooks_;
};

/// Every name that a tap of this program can have, in the order of the forward pass.
std::vector<std::string_view> activation_names(const Program& program);

/// The error for a name that is none of them, with the nearest one.
Error unknown_activation(const Program& program, std::string_view name);

}  // namespace lookback::model
