#include "lookback/model/memory_plan.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <variant>

namespace lookback::model {
namespace {

/// The slots that a step reads and writes, including those of a tapped Linear's split input.
struct Uses {
  std::vector<SlotId> reads, writes;

  void operator()(const Embed& s) { writes = {s.out}; }
  void operator()(const Position& s) { writes = {s.out}; }
  void operator()(const Add& s) {
    reads = s.in;
    writes = {s.out};
  }
  void operator()(const Normalize& s) {
    reads = {s.in};
    writes = {s.mean, s.scale, s.out};
  }
  void operator()(const Linear& s) {
    reads = {s.in};
    writes = {s.out};
    if (!s.split_input) return;
    reads.push_back(s.split_input->stream);
    if (s.split_input->positions) reads.push_back(*s.split_input->positions);
  }
  void operator()(const Scores& s) {
    reads = {s.query, s.key};
    writes = {s.out};
  }
  void operator()(const Mix& s) {
    reads = {s.pattern, s.value};
    writes = {s.out};
  }
  template <class Step>
  void operator()(const Step& s) {
    reads = {s.in};
    writes = {s.out};
  }
};

/// The steps, by number, between which a slot's memory holds something; both inclusive.
struct Life {
  std::size_t begin = 0;
  std::size_t end = 0;

  bool meets(const Life& other) const { return begin <= other.end && other.begin <= end; }
  void cover(const Life& other) {
    begin = std::min(begin, other.begin);
    end = std::max(end, other.end);
  }
};

/// From the step that writes a slot to the last that reads it.
std::vector<Life> lives_of(const Program& program) {
  std::vector<Life> lives(program.slots.size());
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    Uses uses;
    std::visit(uses, program.steps[i]);
    for (const SlotId slot : uses.writes) lives[slot] = {i, i};
    for (const SlotId slot : uses.reads) lives[slot].end = i;
  }
  return lives;
}

std::size_t numbers_of(const SlotInfo& slot, std::size_t batch, std::size_t length) {
  constexpr std::size_t line = 16;
  const std::size_t numbers = slot.kind == SlotInfo::Kind::square
                                  ? batch * slot.heads * length * length
                                  : batch * length * slot.width;
  return (numbers + line - 1) / line * line;
}

/// Places slots one after another, the largest first, each at the lowest offset where no slot that
/// lives at the same time lies. Slots of size 0 take no memory.
MemoryPlan place(std::vector<Life> lives, std::vector<std::size_t> sizes,
                 const std::vector<SlotInfo>& slots) {
  for (SlotId slot = 0; slot < slots.size(); ++slot) {
    if (!slots[slot].in_place) continue;
    lives[*slots[slot].in_place].cover(lives[slot]);
    sizes[slot] = 0;
  }
  std::vector<SlotId> order(slots.size());
  std::iota(order.begin(), order.end(), SlotId{0});
  std::ranges::stable_sort(order, std::greater{}, [&](SlotId slot) { return sizes[slot]; });
  MemoryPlan plan{std::vector<std::size_t>(slots.size()), 0};
  std::vector<SlotId> placed;  // by offset
  for (const SlotId slot : order) {
    if (sizes[slot] == 0) continue;
    std::size_t at = 0;
    for (const SlotId other : placed) {
      if (!lives[other].meets(lives[slot])) continue;
      if (at + sizes[slot] <= plan.offsets[other]) break;
      at = std::max(at, plan.offsets[other] + sizes[other]);
    }
    plan.offsets[slot] = at;
    plan.size = std::max(plan.size, at + sizes[slot]);
    placed.insert(
        std::ranges::upper_bound(placed, at, {}, [&](SlotId other) { return plan.offsets[other]; }),
        slot);
  }
  for (SlotId slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].in_place) plan.offsets[slot] = plan.offsets[*slots[slot].in_place];
  }
  return plan;
}

/// One slot after another, in the order in which they are written.
MemoryPlan side_by_side(const Program& program, std::size_t batch, std::size_t length) {
  MemoryPlan plan;
  for (const SlotInfo& slot : program.slots) {
    plan.offsets.push_back(slot.in_place ? plan.offsets[*slot.in_place] : plan.size);
    if (!slot.in_place) plan.size += numbers_of(slot, batch, length);
  }
  return plan;
}

std::vector<std::size_t> sizes_of(const Program& program, std::size_t batch, std::size_t length) {
  std::vector<std::size_t> sizes;
  for (const SlotInfo& slot : program.slots) sizes.push_back(numbers_of(slot, batch, length));
  return sizes;
}

}  // namespace

MemoryPlan plan_values(const Program& program, std::size_t batch, std::size_t length, Keep keep) {
  if (keep == Keep::everything) return side_by_side(program, batch, length);
  std::vector<Life> lives = lives_of(program);
  lives[program.logits].end = program.steps.size();
  return place(std::move(lives), sizes_of(program, batch, length), program.slots);
}

MemoryPlan plan_gradients(const Program& program, std::size_t batch, std::size_t length) {
  std::vector<Life> lives = lives_of(program);
  // A sum may lend its gradient's memory to what it added (Run::share_gradient), and so on
  // recursively.
  for (const Step& step : program.steps) {
    const auto* sum = std::get_if<Add>(&step);
    if (sum == nullptr) continue;
    for (const SlotId in : sum->in) {
      if (program.slots[in].readers == 1) lives[sum->out].cover(lives[in]);
    }
  }
  std::vector<std::size_t> sizes = sizes_of(program, batch, length);
  sizes[program.logits] = 0;
  return place(std::move(lives), std::move(sizes), program.slots);
}

}  // namespace lookback::model
