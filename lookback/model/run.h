// The memory of one run of a program: activations, their gradients, and the taps set on it. Steps
// see activations only through it.
//
// Legend: B sequences, T positions that are run, D width, E width of a head.
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
#include "lookback/model/rotary.h"
#include "lookback/model/taps.h"

namespace lookback::model {

using math::Factor;
using math::Matrix;
using math::Part;
using math::Update;

template <class N>
void copy(Matrix<const N> from, Matrix<N> to) {
  for (std::size_t r = 0; r < from.rows; ++r) std::copy_n(from.row(r), from.cols, to.row(r));
}

/// Leaves numbers as they are found: pages that nobody writes take no memory.
template <class N>
struct UnwrittenAllocator : base::AlignedAllocator<N> {
  UnwrittenAllocator() = default;
  template <class Other>
  UnwrittenAllocator(const UnwrittenAllocator<Other>& /*all are alike*/) {}
  template <class Number>
  void construct(Number* /*unwritten*/) {}
};

/// Numbers of type N, where a plan lays them.
template <class N>
class SlotMemory {
 public:
  bool is_planned() const { return !offsets_.empty(); }
  void forget_plan() { offsets_.clear(); }

  /// With `keeps`, what lies in the slots that the last plan had stays: the plan must begin with it.
  void allocate(MemoryPlan plan, bool keeps) {
    offsets_ = std::move(plan.offsets);
    if (plan.size <= numbers_.size() + appended_.size()) return;
    const std::size_t lasting = keeps ? numbers_.size() : 0;
    Numbers& grown = lasting > 0 ? appended_ : numbers_;
    grown = Numbers();  // before the next takes its memory
    grown.resize(plan.size - lasting);
  }
  N* at(SlotId slot) {
    const std::size_t offset = offsets_[slot];
    return offset < numbers_.size() ? numbers_.data() + offset
                                    : appended_.data() + (offset - numbers_.size());
  }

 private:
  using Numbers = std::vector<N, UnwrittenAllocator<N>>;
  std::vector<std::size_t> offsets_;
  Numbers numbers_;
  Numbers appended_;  ///< of the slots beyond those of the first plan
};

/// One run at a time of T positions of B sequences. `first` is 0 unless a sequence grows
/// (Keep::past, B = 1): then these T follow positions that earlier runs have left behind.
template <class N>
struct Run {
  /// The program must outlive it or the next call of set_program.
  Run(const Program& p, std::size_t b, std::size_t t, Keep k = Keep::everything)
      : batch(b), length(t), keep(k) {
    const Architecture& a = p.architecture;
    if (a.positions == Positions::rotary) {
      angles = rotary_tables<N>(a, keep == Keep::past ? a.context : length);
    }
    set_program(p);
  }

  const Program& program() const { return *program_; }

  /// From now on another whose slots begin with those of the first. With Keep::everything those keep
  /// what they hold.
  void set_program(const Program& p) {
    program_ = &p;
    values.allocate(plan_values(p, batch, length, keep), keep == Keep::everything);
    gradients.forget_plan();
    kept.resize(p.slots.size());
  }

  std::size_t rows() const { return batch * length; }

  // --- activations

  /// The whole [B*T, width] of a stream slot.
  Matrix<N> value(SlotId slot) {
    const SlotInfo& info = program_->slots[slot];
    const std::size_t before = info.past ? first : 0;
    return {values.at(slot) + before * info.width, rows(), info.width, info.width};
  }
  /// The [T, first + T] of one sequence and head of a square slot.
  Matrix<N> square(SlotId slot, std::size_t sequence, std::size_t head) {
    return square(values, slot, sequence, head);
  }
  /// The [T,E] of one sequence and head of a stream slot with heads.
  Matrix<N> head(SlotId slot, std::size_t sequence, std::size_t head_index) {
    return head_of(value(slot), slot, sequence, head_index);
  }
  /// The same with the rows before it, [first + T, E], of a slot of which steps read the past.
  Matrix<N> head_and_past(SlotId slot, std::size_t sequence, std::size_t head_index) {
    const Matrix<N> now = head(slot, sequence, head_index);
    return {now.data - first * now.stride, first + now.rows, now.cols, now.stride};
  }
  /// Of the logits, by far the widest of all activations, only the last row of a sequence that grows is
  /// wanted: `rows`, of that slot or of one that it is computed from, without the others.
  Matrix<N> wanted(SlotId slot, Matrix<N> rows) const {
    const bool is_last = keep == Keep::past && slot == program_->logits;
    return is_last ? rows.row_block(rows.rows - 1, 1) : rows;
  }
  /// The part of a product with a square: its diagonal is that of a matrix only without a past.
  Part causal(Part part) const { return first == 0 ? part : Part::dense; }

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
    if (!gradients.is_planned()) {
      gradients.allocate(plan_gradients(*program_, batch, length), false);
    }
    touched.assign(program_->slots.size(), 0);
    home.resize(program_->slots.size());
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
    const std::size_t width = program_->slots[slot].width / program_->slots[slot].heads;
    return whole.row_block(sequence * length, length).columns(head * width, width);
  }

  // --- parameters

  Matrix<const N> parameter(ParameterId id) const {
    const ParameterInfo& info = program_->parameters[id];
    return {parameters.data() + info.offset, info.rows, info.cols, info.cols};
  }
  std::span<const N> parameter_row(ParameterId id) const {
    const ParameterInfo& info = program_->parameters[id];
    return parameters.subspan(info.offset, info.size());
  }
  Matrix<N> parameter_gradient(ParameterId id) const {
    const ParameterInfo& info = program_->parameters[id];
    return {parameter_gradients.data() + info.offset, info.rows, info.cols, info.cols};
  }
  std::span<N> parameter_gradient_row(ParameterId id) const {
    const ParameterInfo& info = program_->parameters[id];
    return parameter_gradients.subspan(info.offset, info.size());
  }

  // --- taps

  bool tapped(SiteId site) const { return taps != nullptr && taps->any(site); }
  bool tapped_slot(SlotId slot) const {
    return taps != nullptr && std::ranges::any_of(program_->slots[slot].sites,
                                                  [&](SiteId site) { return taps->any(site); });
  }

  std::size_t batch;
  std::size_t length;
  Keep keep;
  std::size_t first = 0;
  SlotMemory<N> values;
  SlotMemory<N> gradients;
  std::vector<char> touched;         ///< by slot: its gradient holds something
  std::vector<SlotId> home;          ///< by slot: whose memory its gradient is in
  std::vector<std::vector<N>> kept;  ///< by slot: the value before a tap changed it
  std::span<const N> parameters;
  std::span<N> parameter_gradients;
  std::span<const Token> tokens;  ///< [B,T]
  const Taps<N>* taps = nullptr;
  RotaryTables<N> angles;  ///< [positions,E/2]

 private:
  /// The gradient by the logits takes the logits' own place: they are not needed any more.
  Matrix<N> gradient_stream(SlotId slot) {
    if (slot == program_->logits) return value(slot);
    const std::size_t width = program_->slots[slot].width;
    return {gradients.at(home[slot]), rows(), width, width};
  }
  Matrix<N> square(SlotMemory<N>& memory, SlotId slot, std::size_t sequence, std::size_t head) {
    const std::size_t cols = first + length;
    const std::size_t index = sequence * program_->slots[slot].heads + head;
    return {memory.at(slot) + index * length * cols, length, cols, cols};
  }

  const Program* program_ = nullptr;
};

}  // namespace lookback::model
