#include "lookback/lens/intervention.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace lookback::lens {
namespace {

/// A group of sequences that share the mean of their references.
class Group {
 public:
  Group(const Setting& setting, std::span<const std::string> names, model::Session& session,
        std::size_t number)
      : setting_(setting), names_(names), session_(session), number_(number) {}

  Status run(std::span<const Intervention> interventions, References& references,
             Measured& measured) {
    const auto mean = references.mean(number_, names_, session_);
    if (!mean) return mean.error();
    const std::size_t groups = reference_groups(setting_.sequences);
    for (std::size_t index = number_; index < setting_.sequences; index += groups) {
      if (Status done = run(index, **mean, interventions, measured); !done) return done;
    }
    return {};
  }

 private:
  /// One sequence, unedited and with every intervention.
  Status run(std::size_t index, const Recording& mean, std::span<const Intervention> interventions,
             Measured& measured) {
    const auto tokens = setting_.probe.sequence(index);
    const auto another = setting_.probe.sequence(first_other + index);
    const Plan look{{}, {names_.begin(), names_.end()}};
    const auto recorded =
        model::run_jobs(session_, setting_.model.parameters,
                        std::vector<model::Job>{{tokens, &look}, {another, &look}});
    if (!recorded) return recorded.error();
    Context context(setting_.model, tokens, (*recorded)[0].recording, (*recorded)[1].recording,
                    mean);
    std::vector<Plan> plans(1);  // the first: nothing
    for (std::size_t i = 0; i < interventions.size(); ++i) {
      plans.push_back({interventions[i](context), {}});
      // An intervention uses the same kinds of values for every sequence.
      if (context.took_mean() && index == 0) {
        measured.groups[i] = reference_groups(setting_.sequences);
      }
    }
    return run(index, tokens, plans, measured);
  }

  Status run(std::size_t index, std::span<const model::Token> tokens, std::span<const Plan> plans,
             Measured& measured) {
    std::vector<model::Job> jobs;
    jobs.reserve(plans.size());
    for (const Plan& plan : plans) jobs.push_back({tokens, &plan});
    const auto ran = model::run_jobs(session_, setting_.model.parameters, jobs);
    if (!ran) return ran.error();
    const data::Structure structure = setting_.probe.structure(index);
    const std::vector<float> weights = setting_.probe.weights(index);
    measured.baseline[index] = score_losses(ran->front().losses, structure, weights);
    for (std::size_t i = 1; i < ran->size(); ++i) {
      measured.changed[i - 1][index] = score_losses((*ran)[i].losses, structure, weights);
    }
    return {};
  }

  const Setting& setting_;
  std::span<const std::string> names_;
  model::Session& session_;
  std::size_t number_;
};

}  // namespace

const char* name_of(Replacement replacement) {
  switch (replacement) {
    case Replacement::zero:
      return "zero";
    case Replacement::mean:
      return "mean";
    case Replacement::resample:
      return "resample";
  }
  return "";
}

Status check(const Setting& setting) {
  if (setting.sequences < 2) {
    return Error{
        fmt::format("found {} sequences to intervene on, allowed at least 2", setting.sequences)};
  }
  return model::check_inputs(setting.model.program, setting.model.parameters,
                             setting.probe.length(), setting.probe.vocabulary());
}

math::Matrix<float> Context::make(std::size_t rows, std::size_t cols) {
  return {memory_.emplace_back(rows * cols).data(), rows, cols, cols};
}

math::Matrix<const float> Context::replaced(const std::string& name, std::size_t head,
                                            Replacement replacement) {
  if (replacement == Replacement::mean) return mean().at(name, head);
  if (replacement == Replacement::resample) return other_.at(name, head);
  return make(1, own_.at(name, head).cols);
}

math::Matrix<const float> Context::change(const Component& component, Replacement replacement) {
  const ChangeKey key{component.kind, component.layer, component.number, replacement};
  const Recording& replacing = replacement == Replacement::mean ? mean() : other_;
  const auto known = changes_.find(key);
  if (known != changes_.end()) return known->second;
  const math::Matrix<float> result = make(tokens_.size(), model_.architecture().d_model);
  std::vector<float> memory(result.rows * result.cols);
  const math::Matrix<float> own{memory.data(), result.rows, result.cols, result.cols};
  component_value(model_, own_, component, own);
  if (replacement != Replacement::zero) {
    component_value(model_, replacing, component, result);
  }
  for (std::size_t i = 0; i < result.rows * result.cols; ++i) result.data[i] -= own.data[i];
  changes_.emplace(key, result);
  return result;
}

math::Matrix<const float> Context::ideal(data::IdealPattern kind) {
  const auto known = ideals_.find(kind);
  if (known != ideals_.end()) return known->second;
  const math::Matrix<float> pattern = make(tokens_.size(), tokens_.size());
  data::ideal_pattern(kind, tokens_, pattern);
  ideals_.emplace(kind, pattern);
  return pattern;
}

math::Matrix<const float> Context::ideal_mask(data::IdealPattern kind) {
  const auto known = masks_.find(kind);
  if (known != masks_.end()) return known->second;
  const math::Matrix<const float> pattern = ideal(kind);
  const math::Matrix<float> mask = make(pattern.rows, pattern.cols);
  for (std::size_t t = 0; t < mask.rows; ++t) {
    for (std::size_t s = 0; s <= t; ++s) mask(t, s) = pattern(t, s) > 0 ? 1.0F : 0.0F;
  }
  masks_.emplace(kind, mask);
  return mask;
}

std::size_t reference_groups(std::size_t sequences) {
  constexpr std::size_t most = 16;
  return std::min(sequences, most);
}

Estimate Measured::unedited(double LossScores::*loss) const {
  std::vector<double> losses;
  losses.reserve(baseline.size());
  for (const LossScores& scores : baseline) losses.push_back(scores.*loss);
  return estimate(losses);
}

std::vector<double> Measured::rises(std::size_t intervention, double LossScores::*loss) const {
  std::vector<double> differences;
  differences.reserve(baseline.size());
  for (std::size_t index = 0; index < baseline.size(); ++index) {
    differences.push_back(changed[intervention][index].*loss - baseline[index].*loss);
  }
  return differences;
}

Estimate Measured::rise(std::size_t intervention, double LossScores::*loss) const {
  return estimate(rises(intervention, loss), groups[intervention]);
}

Result<Measured> measure(const Setting& setting, std::span<const std::string> names,
                         std::span<const Intervention> interventions) {
  if (Status status = check(setting); !status) return status.error();
  const std::size_t n = setting.sequences;
  Measured measured{std::vector<LossScores>(n),
                    std::vector(interventions.size(), std::vector<LossScores>(n)),
                    std::vector<std::size_t>(interventions.size(), n)};
  const auto session = setting.engine.open(setting.model.program, model::Keep::everything);
  References own(setting.model, setting.probe, reference_groups(n));
  References& references = setting.references == nullptr ? own : *setting.references;
  for (std::size_t group = 0; group < reference_groups(n); ++group) {
    Status ran = Group(setting, names, *session, group).run(interventions, references, measured);
    if (!ran) return ran.error();
  }
  return measured;
}

}  // namespace lookback::lens
