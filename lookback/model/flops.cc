#include "lookback/model/flops.h"

#include <variant>

namespace lookback::model {
namespace {

/// Operations of the forward pass of one step on one sequence.
struct ForwardFlops {
  const Program& program;
  double length;

  double operator()(const Linear& step) const {
    const std::size_t in = step.read ? step.read->count : program.slots[step.in].width;
    const std::size_t out = step.written ? step.written->count : program.slots[step.out].width;
    return 2.0 * length * static_cast<double>(in * out);
  }
  double operator()(const Scores& step) const { return causal(step.out); }
  double operator()(const Mix& step) const { return causal(step.pattern); }
  template <class Step>
  double operator()(const Step& /*no product*/) const {
    return 0;
  }

  double causal(SlotId square) const {
    const auto heads = static_cast<double>(program.slots[square].heads);
    const auto width = static_cast<double>(program.architecture.d_head);
    return heads * 2.0 * width * length * (length + 1) / 2;
  }
};

}  // namespace

Flops useful_flops(const Program& program, std::size_t length) {
  Flops flops;
  const ForwardFlops forward{program, static_cast<double>(length)};
  for (const Step& step : program.steps) flops.forward += std::visit(forward, step);
  flops.backward = 2 * flops.forward;
  return flops;
}

}  // namespace lookback::model
