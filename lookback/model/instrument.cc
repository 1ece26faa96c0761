#include "lookback/model/instrument.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace lookback::model {
namespace {

class Instrumented {
 public:
  explicit Instrumented(const Program& original)
      : original_(original), program_(original), heads_(original.architecture.heads) {
    program_.steps.clear();
  }

  Program build(std::span<const std::size_t> apart) {
    for (std::size_t step = 0; step < original_.steps.size(); ++step) {
      if (std::ranges::find(apart, step) == apart.end()) {
        emit(original_.steps[step]);
      } else {
        take_apart(step);
      }
    }
    connect(program_);
    return std::move(program_);
  }

 private:
  void emit(Step step) { program_.steps.push_back(std::move(step)); }

  SlotId slot(std::size_t width) {
    program_.slots.push_back({SlotInfo::Kind::stream, width, 0, std::nullopt, {}});
    return program_.slots.size() - 1;
  }

  /// The stream of one head by itself.
  SlotId head_slot(SiteId site) {
    const SlotId id = slot(program_.architecture.d_model);
    program_.slots[id].heads = 1;
    program_.slots[id].sites = {site};
    return id;
  }

  /// The columns of one head in an activation where the heads lie side by side.
  Columns columns_of(std::size_t head) const {
    const std::size_t width = program_.architecture.d_head;
    return {head * width, width};
  }

  void take_apart(std::size_t step) {
    const auto shows = [&](const SiteInfo& site) { return site.step == step && !site.slot; };
    const auto first = std::ranges::find_if(original_.sites, shows);
    const auto site = static_cast<SiteId>(first - original_.sites.begin());
    const auto& linear = std::get<Linear>(original_.steps[step]);
    if (original_.slots[linear.out].heads > 0) {
      by_input(linear, site);
    } else {
      by_result(linear, site);
    }
  }

  /// The step of this kind that writes a slot, or null.
  template <class Kind>
  const Kind* writer_of(SlotId slot) const {
    return std::get_if<Kind>(&original_.steps[original_.slots[slot].step]);
  }

  /// What a Linear reads: normed(stream) + positions.
  struct Input {
    SlotId stream;
    const Normalize* norm = nullptr;
    std::optional<SlotId> positions = {};  ///< of shortformer, which adds them here
  };

  Input input_of(const Linear& linear) const {
    Input input{linear.in};
    const auto* sum = writer_of<Add>(input.stream);
    if (sum != nullptr && original_.architecture.positions == Positions::shortformer &&
        writer_of<Position>(sum->in[1]) != nullptr) {
      input.stream = sum->in[0];
      input.positions = sum->in[1];
    }
    input.norm = writer_of<Normalize>(input.stream);
    if (input.norm != nullptr) input.stream = input.norm->in;
    return input;
  }

  /// out_h = (norm(x_h) + positions) W_h, with x_h the head's own copy of the stream. The last head
  /// comes first, so that backward adds to the stream from the first head to the last.
  void by_input(const Linear& linear, SiteId site) {
    const Input input = input_of(linear);
    for (std::size_t head = heads_; head-- > 0;) {
      SlotId own = head_slot(site + head);
      emit(Add{{input.stream}, own});
      if (input.norm != nullptr) {
        Normalize norm = *input.norm;
        norm.in = own;
        norm.mean = slot(1);
        norm.scale = slot(1);
        norm.out = own = slot(program_.architecture.d_model);
        emit(norm);
      }
      if (input.positions) {
        const SlotId placed = slot(program_.architecture.d_model);
        emit(Add{{own, *input.positions}, placed});
        own = placed;
      }
      Linear part = linear;
      part.in = own;
      part.written = columns_of(head);
      emit(part);
    }
  }

  /// out = sum of in_h W_h + b.
  void by_result(const Linear& linear, SiteId site) {
    Add sum{{}, linear.out, linear.bias};
    for (std::size_t head = 0; head < heads_; ++head) {
      Linear part = linear;
      part.bias.reset();
      part.read = columns_of(head);
      part.out = head_slot(site + head);
      sum.in.push_back(part.out);
      emit(part);
    }
    emit(std::move(sum));
  }

  const Program& original_;
  Program program_;
  std::size_t heads_;
};

}  // namespace

Program instrument(const Program& program, std::span<const std::size_t> apart) {
  return Instrumented(program).build(apart);
}

}  // namespace lookback::model
