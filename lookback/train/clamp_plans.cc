#include "lookback/train/clamp_plans.h"

#include <algorithm>
#include <utility>

#include "lookback/data/ideal_patterns.h"

namespace lookback::train {
namespace {

/// One edit of what a clamp fixes, at all positions.
model::Edit edit_of(std::string activation, std::optional<std::size_t> head,
                    model::Edit::Kind kind) {
  model::Edit edit;
  edit.activation = std::move(activation);
  edit.head = head;
  edit.kind = kind;
  return edit;
}

bool starts(const Clamp& clamp) {
  return clamp.kind == ClampKind::freeze && clamp.to == FreezeTo::initial;
}

}  // namespace

ClampPlans::ClampPlans(const model::Program& program, std::vector<Clamp> clamps,
                       std::vector<float> starting, model::Engine& engine)
    : program_(program), clamps_(std::move(clamps)), starting_(std::move(starting)) {
  if (!clamps_.empty()) starting_session_ = engine.open(program, model::Keep::logits);
}

bool ClampPlans::any_in_force(std::uint64_t tokens_seen) const {
  return std::ranges::any_of(clamps_,
                             [&](const Clamp& clamp) { return clamp.in_force(tokens_seen); });
}

Status ClampPlans::run_starting_weights(std::span<const Clamp* const> in_force,
                                        std::span<const std::vector<data::Token>> sequences) {
  model::Plan look;
  for (const Clamp* clamp : in_force) {
    if (starts(*clamp)) look.recorded.push_back(clamp->activation);
  }
  starting_runs_.clear();
  if (look.recorded.empty()) return {};
  std::vector<model::Job> jobs;
  for (const auto& tokens : sequences) jobs.push_back({tokens, &look});
  auto ran = model::run_jobs(*starting_session_, starting_, jobs);
  if (!ran) return ran.error();
  starting_runs_ = *std::move(ran);
  return {};
}

math::Matrix<const float> ClampPlans::ideal(const Clamp& clamp,
                                            std::span<const data::Token> tokens) {
  const std::size_t length = tokens.size();
  const math::Matrix<float> pattern{patterns_.emplace_back(length * length).data(), length, length,
                                    length};
  data::ideal_pattern(clamp.kind == ClampKind::matching ? data::IdealPattern::matching
                                                        : data::IdealPattern::previous_token,
                      tokens, pattern);
  return pattern;
}

void ClampPlans::add_edits(const Clamp& clamp, std::size_t sequence,
                           std::span<const data::Token> tokens, model::Edits& edits) {
  using Kind = model::Edit::Kind;
  if (clamp.kind == ClampKind::previous_token || clamp.kind == ClampKind::matching) {
    edits.push_back(edit_of(attention_name(clamp.layer, "pattern"), clamp.head, Kind::set));
    edits.back().value = ideal(clamp, tokens);
  } else if (clamp.kind == ClampKind::copying) {
    edits.push_back(edit_of(attention_name(clamp.layer, "z"), clamp.head, Kind::zero));
    edits.push_back(edit_of("logits", clamp.head, Kind::add_tokens));
    edits.back().source = attention_name(clamp.layer, "pattern");
    edits.back().gain = clamp.gain;
  } else if (clamp.to == FreezeTo::zero) {
    edits.push_back(edit_of(clamp.activation, clamp.head, Kind::zero));
  } else if (clamp.to == FreezeTo::no_gradient) {
    edits.push_back(edit_of(clamp.activation, clamp.head, Kind::hold));
  } else {
    const std::size_t heads = model::head_count(program_, clamp.activation);
    for (std::size_t head = 0; head < std::max<std::size_t>(heads, 1); ++head) {
      if (clamp.head && head != *clamp.head) continue;
      edits.push_back(
          edit_of(clamp.activation, heads == 0 ? std::nullopt : std::optional(head), Kind::set));
      edits.back().value = starting_runs_[sequence].recording.at(clamp.activation, head);
    }
  }
}

/// Copying comes last: forward, it reads the pattern that others set; backward, its gradient is
/// computed before they turn it off.
Result<std::span<const model::Plan>> ClampPlans::prepare(
    std::uint64_t tokens_seen, std::span<const std::vector<data::Token>> sequences) {
  std::vector<const Clamp*> in_force;
  for (const Clamp& clamp : clamps_) {
    if (clamp.in_force(tokens_seen)) in_force.push_back(&clamp);
  }
  std::stable_partition(in_force.begin(), in_force.end(),
                        [](const Clamp* clamp) { return clamp->kind != ClampKind::copying; });
  plans_.clear();
  patterns_.clear();
  if (in_force.empty()) return std::span<const model::Plan>();
  if (Status ran = run_starting_weights(in_force, sequences); !ran) return ran.error();
  plans_.resize(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    for (const Clamp* clamp : in_force) add_edits(*clamp, i, sequences[i], plans_[i].edits);
  }
  return std::span<const model::Plan>(plans_);
}

TrainingPlans ClampPlans::training_plans() {
  if (clamps_.empty()) return {};
  return [this](std::uint64_t tokens_seen, std::span<const std::vector<data::Token>> sequences) {
    return prepare(tokens_seen, sequences);
  };
}

}  // namespace lookback::train
