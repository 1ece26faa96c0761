#include "lookback/model/memory_plan.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <variant>

namespace lookback::model {
namespace {

/// The steps, by number, between which a slot's memory holds something; both inclusive.
struct Life {
  std::size_t begin = static_cast<std::size_t>(-1);
  std::size_t end = 0;

  bool meets(const Life& other) const { return begin <= other.end && other.begin <= end; }
  void cover(const Life& other) {
    begin = std::min(begin, other.begin);
    end = std::max(end, other.end);
  }
};

/// From the first step that writes a slot to the last that reads it.
std::vector<Life> lives_of(const Program& program) {
  std::vector<Life> lives(program.slots.size());
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Uses uses = uses_of(program.steps[i]);
    for (const SlotId slot : uses.writes) lives[slot].cover({i, i});
    for (const SlotId slot : uses.reads) lives[slot].cover({i, i});
  }
  return lives;
}

/// Numbers by slot, for T rows of each of B sequences that look back on `positions`.
std::vector<std::size_t> sizes_of(const Program& program, std::size_t batch, std::size_t length,
                                  std::size_t positions) {
  constexpr std::size_t line = 16;
  std::vector<std::size_t> sizes;
  sizes.reserve(program.slots.size());
  for (const SlotInfo& slot : program.slots) {
    const bool is_square = slot.kind == SlotInfo::Kind::square;
    const std::size_t columns = is_square ? slot.heads * positions : slot.width;
    const std::size_t numbers = batch * (slot.past ? positions : length) * columns;
    sizes.push_back((numbers + line - 1) / line * line);
  }
  return sizes;
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

/// Slot after slot, in the order in which they are written.
MemoryPlan side_by_side(const std::vector<std::size_t>& sizes, const std::vector<SlotInfo>& slots) {
  MemoryPlan plan;
  for (SlotId slot = 0; slot < slots.size(); ++slot) {
    const std::optional<SlotId>& in_place = slots[slot].in_place;
    plan.offsets.push_back(in_place ? plan.offsets[*in_place] : plan.size);
    if (!in_place) plan.size += sizes[slot];
  }
  return plan;
}

}  // namespace

MemoryPlan plan_values(const Program& program, std::size_t batch, std::size_t length, Keep keep) {
  const bool is_extended = keep == Keep::past;
  std::vector<std::size_t> sizes =
      sizes_of(program, batch, length, is_extended ? program.architecture.context : length);
  if (keep == Keep::everything) return side_by_side(sizes, program.slots);
  std::vector<Life> lives = lives_of(program);
  lives[program.logits].end = program.steps.size();
  for (SlotId slot = 0; slot < lives.size(); ++slot) {
    if (is_extended && program.slots[slot].past) lives[slot] = {0, program.steps.size()};
  }
  return place(std::move(lives), std::move(sizes), program.slots);
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
  std::vector<std::size_t> sizes = sizes_of(program, batch, length, length);
  sizes[program.logits] = 0;
  return place(std::move(lives), std::move(sizes), program.slots);
}

}  // namespace lookback::model
