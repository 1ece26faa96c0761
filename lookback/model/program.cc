#include "lookback/model/program.h"

#include <algorithm>

#include "lookback/base/random.h"

namespace lookback::model {
namespace {

struct FindUses {
  Uses operator()(const Embed& s) const { return {{}, {s.out}, {}}; }
  Uses operator()(const Position& s) const { return {{}, {s.out}, {}}; }
  Uses operator()(const Add& s) const { return {s.in, {s.out}, {}}; }
  Uses operator()(const Normalize& s) const { return {{s.in}, {s.mean, s.scale, s.out}, {}}; }
  Uses operator()(const Smear& s) const { return {{s.in}, {s.out}, {s.in}}; }
  Uses operator()(const Scores& s) const { return {{s.query, s.key}, {s.out}, {s.key}}; }
  Uses operator()(const Mix& s) const { return {{s.pattern, s.value}, {s.out}, {s.value}}; }
  template <class Step>
  Uses operator()(const Step& s) const {
    return {{s.in}, {s.out}, {}};
  }
};

}  // namespace

Uses uses_of(const Step& step) { return std::visit(FindUses{}, step); }

void connect(Program& program) {
  for (SlotInfo& slot : program.slots) slot.readers = 0;
  for (std::size_t step = 0; step < program.steps.size(); ++step) {
    const Uses uses = uses_of(program.steps[step]);
    for (const SlotId slot : uses.reads) ++program.slots[slot].readers;
    for (const SlotId slot : uses.past) program.slots[slot].past = true;
    for (const SlotId slot : uses.writes) program.slots[slot].step = step;
  }
  for (SlotId slot = 0; slot < program.slots.size(); ++slot) {
    for (const SiteId site : program.slots[slot].sites) {
      program.sites[site].step = program.slots[slot].step;
      program.sites[site].slot = slot;
    }
  }
}

std::size_t Program::parameter_count() const {
  std::size_t count = 0;
  for (const ParameterInfo& parameter : parameters) count += parameter.size();
  return count;
}

const ParameterInfo* Program::find_parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &ParameterInfo::name);
  return found == parameters.end() ? nullptr : &*found;
}

std::vector<float> initialize(const Program& program, std::uint64_t seed) {
  std::vector<float> buffer(program.buffer_size);
  for (std::size_t p = 0; p < program.parameters.size(); ++p) {
    const ParameterInfo& info = program.parameters[p];
    const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(info.offset);
    if (info.start == ParameterInfo::Start::ones) std::fill_n(begin, info.size(), 1.0F);
    if (info.start != ParameterInfo::Start::normal) continue;
    base::RandomStream stream(seed, base::StreamPurpose::initialization, p);
    std::generate_n(begin, info.size(),
                    [&] { return static_cast<float>(info.deviation * stream.normal()); });
  }
  return buffer;
}

}  // namespace lookback::model
