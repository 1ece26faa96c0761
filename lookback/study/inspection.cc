#include "lookback/study/inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "lookback/base/control.h"
#include "lookback/lens/chance.h"
#include "lookback/lens/evaluate.h"
#include "lookback/lens/limits.h"
#include "lookback/model/flops.h"

namespace lookback::study {
namespace {

/// Beyond this many heads maps are skipped: [T,T] floats each.
constexpr std::size_t most_maps = 64;

/// Useful operations that interventions may take: some ten seconds of two processors.
constexpr double intervention_flops = 2e12;
/// Roughly, how often a sequence is run for each head: its inputs, outputs and patterns, replaced
/// in three ways.
constexpr double runs_a_head = 20;

/// With fewer, an interval extends more than 2.4 standard errors to either side, and these are
/// themselves uncertain; with 2 it is 12.7, which says nothing.
constexpr std::size_t least_sequences = 8;

/// GPT-2 small has 144 heads: to find the one that copies takes minutes.
constexpr lens::MechanismLimits mechanism_limits = {.heads = 160};

using Probes = std::vector<std::unique_ptr<data::Task>>;

std::size_t head_count(const model::Architecture& architecture) {
  return architecture.layers * architecture.heads_per_layer();
}

Result<Probes> make_probes(const SavedModel& model, const InspectionOptions& options) {
  Probes probes;
  for (const std::string& name :
       options.probes.empty() ? model.config.evaluate.probes : options.probes) {
    Result<std::unique_ptr<data::Task>> probe = probe_task(model.config, name);
    if (!probe) {
      return probe.error().at(fmt::format("probe '{}' does not fit the model", name));
    }
    probes.push_back(std::move(*probe));
  }
  return probes;
}

class Inspector {
 public:
  Inspector(const SavedModel& model, const InspectionOptions& options, model::Engine& engine)
      : model_(model), options_(options), engine_(engine) {}

  Result<Inspection> inspect() {
    const Result<Probes> probes = make_probes(model_, options_);
    if (!probes) return probes.error();
    const auto stop_requested = [this] { return options_.stop.stop_requested(); };
    for (const auto& probe : *probes) {
      if (stop_requested()) return base::stopped();
      if (Status done = score(*probe); !done) return done.error();
    }
    const data::Task& first = intervened_on(*probes);
    found_.intervened_on = first.profile().name;
    references_.emplace(view(), first, lens::reference_groups(sequences_on(first)));
    for (const auto& part :
         {&Inspector::see_attention, &Inspector::ablate, &Inspector::find_mechanism}) {
      if (stop_requested()) return base::stopped();
      if (Status done = (this->*part)(first); !done) return done.error();
    }
    for (const auto& part : {&Inspector::compose, &Inspector::take_circuits, &Inspector::patch}) {
      if (stop_requested()) return base::stopped();
      if (Status done = (this->*part)(); !done) return done.error();
    }
    return std::move(found_);
  }

 private:
  /// The first probe that was asked for; of a run's own, the one that it is judged by.
  const data::Task& intervened_on(const Probes& probes) const {
    if (options_.probes.empty()) {
      for (const auto& probe : probes) {
        if (probe->profile().name == model_.config.data.main_probe()) return *probe;
      }
    }
    return *probes.front();
  }

  Status score(const data::Task& probe) {
    auto result =
        lens::evaluate(model_.program, model_.parameters, probe, options_.sequences, engine_);
    if (!result) return result.error();
    found_.probes.push_back({probe.profile().name, probe.profile().description, std::move(*result),
                             lens::chance_scores(probe, options_.sequences)});
    return {};
  }

  Status see_attention(const data::Task& probe) {
    found_.sequence = probe.sequence(0);
    const std::size_t heads = head_count(model_.config.architecture);
    if (!lens::within_limit("attention maps", heads, "heads", most_maps, found_.skipped)) return {};
    auto maps = lens::attention_maps(view(), engine_, found_.sequence);
    if (!maps) return maps.error();
    found_.attention = std::move(*maps);
    return {};
  }

  lens::Model view() const { return {model_.program, model_.parameters}; }

  std::size_t sequences_on(const data::Task& probe) const {
    return intervention_sequences(model_.program, probe.length(), options_.sequences);
  }

  lens::Setting setting_on(const data::Task& probe) {
    return {view(), probe, sequences_on(probe), engine_, &*references_};
  }

  Status ablate(const data::Task& probe) {
    Result<lens::Ablations> ablated = lens::ablations(setting_on(probe));
    if (!ablated) return ablated.error();
    found_.ablations = std::move(*ablated);
    take_skipped(found_.ablations.skipped);
    return {};
  }

  Status find_mechanism(const data::Task& probe) {
    Result<lens::MechanismResult> mechanism = lens::mechanism(setting_on(probe), mechanism_limits);
    if (!mechanism) return mechanism.error();
    found_.mechanism = std::move(*mechanism);
    return {};
  }

  Status compose() {
    const lens::CompositionBaseline baseline =
        lens::composition_baseline(model_.config.architecture);
    auto composed = lens::composition(model_.program, model_.parameters, baseline);
    if (!composed) return composed.error();
    found_.composition = std::move(*composed);
    return {};
  }

  Status take_circuits() {
    auto circuits =
        lens::circuits(model_.program, model_.parameters, options_.circuits, engine_.workers());
    if (!circuits) return circuits.error();
    found_.circuits = std::move(*circuits);
    if (found_.circuits.pairs_left_out > 0) {
      found_.skipped.push_back(fmt::format(
          "composed circuits: skipped the {} pairs of heads with the lowest composition scores",
          found_.circuits.pairs_left_out));
    }
    return {};
  }

  Status patch() {
    constexpr std::size_t shortest = 4;
    if (model_.config.architecture.context < shortest) {
      found_.skipped.push_back(
          fmt::format("activation patching: found a context of {}, allowed at least {}",
                      model_.config.architecture.context, shortest));
      return {};
    }
    const Result<std::size_t> found = period_to_patch();
    if (!found) return found.error();
    const std::size_t period = *found;
    if (period == 0) {
      found_.skipped.push_back(
          fmt::format("activation patching: skipped, because nothing repeats with a period in {}",
                      model_.config.data.main_probe()));
      return {};
    }
    const std::size_t sequences =
        intervention_sequences(model_.program, 2 * period, options_.sequences);
    for (const lens::Corruption corruption : {lens::Corruption::answer, lens::Corruption::match}) {
      auto patched = lens::patching(view(), period, corruption, sequences, engine_);
      if (!patched) return patched.error();
      found_.patchings.push_back(std::move(*patched));
    }
    take_skipped(found_.patchings.front().skipped);
    return {};
  }

  /// One of the periods that the run was trained on; of text, one of its probe's; 0: there are none.
  Result<std::size_t> period_to_patch() const {
    const RunConfig& config = model_.config;
    const auto trained = probe_task(
        config, config.data.is_text() ? config.data.main_probe() : config.data.task.kind);
    if (!trained) return trained.error();
    const auto& periods = (*trained)->profile().periods;
    return periods.empty() ? 0 : lens::patching_period(periods, config.architecture);
  }

  void take_skipped(const std::vector<std::string>& lines) {
    found_.skipped.insert(found_.skipped.end(), lines.begin(), lines.end());
  }

  const SavedModel& model_;
  const InspectionOptions& options_;
  model::Engine& engine_;
  std::optional<lens::References> references_;  ///< of the probe that is intervened on
  Inspection found_;
};

}  // namespace

std::size_t intervention_sequences(const model::Program& program, std::size_t length,
                                   std::size_t asked) {
  const double one = model::useful_flops(program, length).forward * runs_a_head *
                     static_cast<double>(head_count(program.architecture));
  const double affordable = intervention_flops / one;
  if (affordable >= static_cast<double>(asked)) return asked;
  return std::min(asked, std::max(least_sequences, static_cast<std::size_t>(affordable)));
}

Result<Inspection> inspect(const SavedModel& model, const InspectionOptions& options,
                           model::Engine& engine) {
  if (options.sequences < 2) {
    return Error{fmt::format("found {} sequences, allowed at least 2: an interval needs them",
                             options.sequences)};
  }
  return Inspector(model, options, engine).inspect();
}

}  // namespace lookback::study
