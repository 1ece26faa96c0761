// The memory of one run of a program: activations, their gradients, and the taps set on it. Steps
// see activations only through it.
//
// Legend: B sequences, T positions, D width.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "lookback/base/aligned.h"
#include "lookback/math/kernels.h"
#include "lookback/model/memory_plan.h"
#include "lookback/model/program.h"
#include "lookback/model/taps.h"

namespace lookback::model {

using math::Factor;
using math::Matrix;
using math::Part;
using math::Update;

/// Numbers of type N, stored where a memory plan puts them.
template <class N>
class SlotMemory {
 public:
  bool empty() const { return numbers_.empty(); }
  void allocate(MemoryPlan plan) {
    numbers_.resize(plan.size);
    offsets_ = std::move(plan.offsets);
  }
  N* at(SlotId slot) { return numbers_.data() + offsets_[slot]; }

 private:
  std::vector<std::size_t> offsets_;
  base::AlignedVector<N> numbers_;
};

template <class N>
struct Run {
  Run(const Program& p, std::size_t b, std::size_t t, Keep keep = Keep::everything)
      : program(p),
        batch(b),
        length(t),
        touched(p.slots.size()),
        kept(p.slots.size()),
        split(p.slots.size()) {
    values.allocate(plan_values(p, b, t, keep));
  }

  std::size_t rows() const { return batch * length; }

  // --- activations

  /// The whole [B*T, width] of a stream slot.
  Matrix<N> value(SlotId slot) { return stream(values, slot); }
  /// The [T,T] of one sequence and head of a square slot.
  Matrix<N> square(SlotId slot, std::size_t sequence, std::size_t head) {
    return square(values, slot, sequence, head);
  }
  /// The [T,E] of one sequence and head of a stream slot with heads.
  Matrix<N> head(SlotId slot, std::size_t sequence, std::size_t head_index) {
    return head_of(value(slot), slot, sequence, head_index);
  }

  // --- gradients

  /// A gradient to add to: zero when first touched in a backward pass.
  Matrix<N> gradient(SlotId slot) {
    const Matrix<N> g = gradient_stream(slot);
    if (!touched[slot]) std::fill_n(g.data, g.rows * g.cols, N{});
    touched[slot] = true;
    return g;
  }
  /// A gradient that a product may also set: Update::set at the first touch, Update::add later.
  std::pair<Matrix<N>, Update> gradient_update(SlotId slot) {
    const Update update = touched[slot] ? Update::add : Update::set;
    touched[slot] = true;
    return {gradient_stream(slot), update};
  }
  /// To be called before each backward pass: no gradient holds anything, and each has its own
  /// memory. It is allocated here, so that a run without a backward pass needs none.
  void start_gradients() {
    if (gradients.empty()) gradients.allocate(plan_gradients(program, batch, length));
    std::ranges::fill(touched, 0);
    home.resize(program.slots.size());
    std::iota(home.begin(), home.end(), SlotId{0});
  }
  /// From now on the gradient of `slot` is that of `other`, which nothing changes any more: a sum
  /// passes its gradient on without a copy where the slot has no other reader.
  void share_gradient(SlotId slot, SlotId other) {
    home[slot] = home[other];
    touched[slot] = true;
  }
  Matrix<N> gradient_square(SlotId slot, std::size_t sequence, std::size_t head) {
    return square(gradients, slot, sequence, head);
  }
  Matrix<N> head_of(Matrix<N> whole, SlotId slot, std::size_t sequence, std::size_t head) const {
    const std::size_t width = program.slots[slot].width / program.slots[slot].heads;
    return whole.row_block(sequence * length, length).columns(head * width, width);
  }

  // --- parameters

  Matrix<const N> parameter(ParameterId id) const {
    const ParameterInfo& info = program.parameters[id];
    return {parameters.data() + info.offset, info.rows, info.cols, info.cols};
  }
  std::span<const N> parameter_row(ParameterId id) const {
    const ParameterInfo& info = program.parameters[id];
    return parameters.subspan(info.offset, info.size());
  }
  Matrix<N> parameter_gradient(ParameterId id) const {
    const ParameterInfo& info = program.parameters[id];
    return {parameter_gradients.data() + info.offset, info.rows, info.cols, info.cols};
  }
  std::span<N> parameter_gradient_row(ParameterId id) const {
    const ParameterInfo& info = program.parameters[id];
    return parameter_gradients.subspan(info.offset, info.size());
  }

  // --- taps

  bool tapped(SiteId site) const { return taps != nullptr && taps->any(site); }
  bool tapped_slot(SlotId slot) const {
    return taps != nullptr && std::ranges::any_of(program.slots[slot].sites,
                                                  [&](SiteId site) { return taps->any(site); });
  }

  const Program& program;
  std::size_t batch;
  std::size_t length;
  SlotMemory<N> values;
  SlotMemory<N> gradients;
  std::vector<char> touched;          ///< by slot: its gradient holds something
  std::vector<SlotId> home;           ///< by slot: whose memory its gradient is in
  std::vector<std::vector<N>> kept;   ///< by slot: the value before a tap changed it
  std::vector<std::vector<N>> split;  ///< by out slot: each head's own input of a tapped Linear
  std::span<const N> parameters;
  std::span<N> parameter_gradients;
  std::span<const Token> tokens;  ///< [B,T]
  const Taps<N>* taps = nullptr;
  std::vector<N> cosine, sine;  ///< [T,E/2], for rotary positions

 private:
  Matrix<N> stream(SlotMemory<N>& memory, SlotId slot) {
    const std::size_t width = program.slots[slot].width;
    return {memory.at(slot), rows(), width, width};
  }
  /// The gradient of the logits overwrites the logits, which are no longer needed.
  Matrix<N> gradient_stream(SlotId slot) {
    if (slot == program.logits) return stream(values, slot);
    const std::size_t width = program.slots[slot].width;
    return {gradients.at(home[slot]), rows(), width, width};
  }
  Matrix<N> square(SlotMemory<N>& memory, SlotId slot, std::size_t sequence, std::size_t head) {
    const std::size_t size = length * length;
    const std::size_t index = sequence * program.slots[slot].heads + head;
    return {memory.at(slot) + index * size, length, length, length};
  }
};

}  // namespace lookback::model
