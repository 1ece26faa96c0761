#include "lookback/lens/intervention.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "lookback/lens/evaluate.h"
#include "lookback/lens/runner.h"

namespace lookback::lens {
namespace {

/// Sums over sequences are taken in so many parts, whatever the number of threads, and then added
/// in order: each holds one recording's memory.
constexpr std::size_t mean_parts = 4;

/// One runner for each worker, made when it is first needed.
class Runners {
 public:
  explicit Runners(const Setting& setting) : setting_(setting), runners_(setting.workers.count()) {}

  Runner& of(std::size_t worker) {
    auto& runner = runners_[worker];
    if (!runner) runner = std::make_unique<Runner>(setting_.model, setting_.probe.length());
    return *runner;
  }

 private:
  const Setting& setting_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

/// The first error in the order of tasks.
Status first_error(const std::vector<Status>& statuses) {
  for (const Status& status : statuses) {
    if (!status) return status;
  }
  return {};
}

/// All interventions of one sequence, the latest in the model first.
class SequenceTask {
 public:
  SequenceTask(const Setting& setting, std::span<const std::string> names, const Recording& mean,
               std::size_t index)
      : setting_(setting), names_(names), mean_(mean), index_(index) {}

  Status run(Runner& runner, std::span<const Intervention> interventions, Measured& measured) {
    const auto tokens = setting_.probe.sequence(index_);
    const data::BlockStructure structure = setting_.probe.structure(index_);
    const auto next = setting_.probe.sequence((index_ + 1) % setting_.sequences);
    Recording own;
    Recording other;
    if (const auto run = runner.record(next, names_, other); !run) return run.error();
    if (const auto run = runner.record(tokens, names_, own); !run) return run.error();
    Context context(setting_.model, tokens, own, other, mean_);
    std::vector<Edits> edits;
    edits.reserve(interventions.size());
    for (const Intervention& intervention : interventions) edits.push_back(intervention(context));
    const Result<std::vector<std::size_t>> order = latest_first(setting_.model.program, edits);
    if (!order) return order.error();
    const auto unedited = runner.run(tokens);
    if (!unedited) return unedited.error();
    measured.baseline[index_] = score_losses(*unedited, structure);
    for (const std::size_t i : *order) {
      const auto losses = runner.run(tokens, edits[i]);
      if (!losses) return losses.error();
      measured.changed[i][index_] = score_losses(*losses, structure);
    }
    return {};
  }

 private:
  const Setting& setting_;
  std::span<const std::string> names_;
  const Recording& mean_;
  std::size_t index_;
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
  return check_inputs(setting.model.program, setting.model.parameters, setting.probe.length(),
                      setting.probe.vocabulary());
}

math::Matrix<float> Context::make(std::size_t rows, std::size_t cols) {
  return {memory_.emplace_back(rows * cols).data(), rows, cols, cols};
}

math::Matrix<const float> Context::replaced(const std::string& name, std::size_t head,
                                            Replacement replacement) {
  if (replacement == Replacement::mean) return mean_.at(name, head);
  if (replacement == Replacement::resample) return other_.at(name, head);
  return make(1, own_.at(name, head).cols);
}

math::Matrix<const float> Context::change(const Component& component, Replacement replacement) {
  const ChangeKey key{component.kind, component.layer, component.number, replacement};
  const auto known = changes_.find(key);
  if (known != changes_.end()) return known->second;
  const math::Matrix<float> result = make(tokens_.size(), model_.architecture().d_model);
  std::vector<float> memory(result.rows * result.cols);
  const math::Matrix<float> own{memory.data(), result.rows, result.cols, result.cols};
  component_value(model_, own_, component, own);
  if (replacement != Replacement::zero) {
    component_value(model_, replacement == Replacement::mean ? mean_ : other_, component, result);
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

Result<Recording> mean_recording(const Setting& setting, std::span<const std::string> names) {
  if (Status status = check(setting); !status) return status.error();
  Runners runners(setting);
  std::vector<RecordingSum> sums(mean_parts);
  std::vector<Status> statuses(mean_parts);
  setting.workers.run(mean_parts, [&](std::size_t part, std::size_t worker) {
    for (std::size_t i = part; i < references; i += mean_parts) {
      Recording recording;
      const auto tokens = setting.probe.sequence(first_reference + i);
      const auto run = runners.of(worker).record(tokens, names, recording);
      if (!run) {
        statuses[part] = run.error();
        return;
      }
      sums[part].add(recording);
    }
  });
  if (Status status = first_error(statuses); !status) return status.error();
  for (std::size_t part = 1; part < mean_parts; ++part) {
    sums[0].add(sums[part]);
    sums[part] = {};
  }
  return sums[0].mean();
}

Estimate Measured::unedited(double LossScores::*loss) const {
  std::vector<double> losses;
  losses.reserve(baseline.size());
  for (const LossScores& scores : baseline) losses.push_back(scores.*loss);
  return estimate(losses);
}

Estimate Measured::rise(std::size_t intervention, double LossScores::*loss) const {
  std::vector<double> differences;
  for (std::size_t index = 0; index < baseline.size(); ++index) {
    differences.push_back(changed[intervention][index].*loss - baseline[index].*loss);
  }
  return estimate(differences);
}

Result<Measured> measure(const Setting& setting, std::span<const std::string> names,
                         const Recording& mean, std::span<const Intervention> interventions) {
  if (Status status = check(setting); !status) return status.error();
  const std::size_t n = setting.sequences;
  Measured measured{std::vector<LossScores>(n),
                    std::vector(interventions.size(), std::vector<LossScores>(n))};
  Runners runners(setting);
  std::vector<Status> statuses(n);
  setting.workers.run(n, [&](std::size_t index, std::size_t worker) {
    statuses[index] =
        SequenceTask(setting, names, mean, index).run(runners.of(worker), interventions, measured);
  });
  if (Status status = first_error(statuses); !status) return status.error();
  return measured;
}

}  // namespace lookback::lens
