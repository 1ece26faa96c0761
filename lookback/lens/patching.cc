#include "lookback/lens/patching.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "lookback/lens/ablation_edits.h"
#include "lookback/lens/evaluate.h"
#include "lookback/lens/limits.h"
#include "lookback/lens/runner.h"

namespace lookback::lens {
namespace {

using model::Architecture;

std::string activation_of(Patched patched, std::size_t layer) {
  return fmt::format("blocks.{}.attn.hook_{}", layer, name_of(patched));
}

std::vector<Patched> patched_activations(const Architecture& a) {
  if (a.no_ov) return {Patched::q, Patched::k, Patched::z, Patched::pattern};
  return {Patched::q, Patched::k, Patched::v, Patched::z, Patched::pattern};
}

/// The recordings of one pair. As a Context its own sequence is the corrupted one and the other the
/// clean one, so that a resample ablation of a path is its patch.
struct PairRuns {
  const Recording& clean;
  const Recording& corrupted;
  Context context;
};

/// Sets one head's activation to the clean run's at positions first .. end - 1; no edit at all where
/// it is the same in both runs.
Edits edits_of(const HeadPatch& patch, std::size_t first, std::size_t end, PairRuns& runs) {
  const std::string activation = activation_of(patch.activation, patch.head.layer);
  Edit edit = set(activation, patch.head.head, runs.clean.at(activation, patch.head.head));
  edit.first_row = first;
  edit.end_row = end;
  const auto was = runs.corrupted.at(activation, patch.head.head);
  for (std::size_t t = first; t < end; ++t) {
    if (!std::equal(was.row(t), was.row(t) + was.cols, edit.value.row(t))) return {edit};
  }
  return {};
}

Edits edits_of(const PathPatch& patch, PairRuns& runs) {
  if (!patch.to) return edits_of(LogitsAblation{patch.from, Replacement::resample}, runs.context);
  return edits_of(PathAblation{patch.from, *patch.to, patch.input, Replacement::resample},
                  runs.context);
}

/// A patch to be measured, and where its result belongs.
struct PlannedPatch {
  std::function<Edits(PairRuns&)> edits;
  Estimate* restored;
};

void list_heads(const Architecture& a, bool by_position, Patching& result) {
  for (const HeadPlace head : all_heads(a)) {
    for (const Patched activation : patched_activations(a)) {
      result.heads.push_back({head, activation, {}, {}});
      if (by_position) result.heads.back().by_position.resize(result.length);
    }
  }
}

/// Components that are the same in every sequence have nothing to restore, and are left out.
void list_paths(const Architecture& a, Patching& result) {
  for (const HeadPlace reader : all_heads(a)) {
    if (!reads_earlier_parts(a, reader)) continue;
    for (const Input input : {Input::q, Input::k, Input::v}) {
      for (const Component& component : components_read(a, reader)) {
        if (!component.constant()) result.paths.push_back({component, reader, input});
      }
    }
  }
  for (const Component& component : components_of_logits(a)) {
    if (!component.constant()) result.paths.push_back({component, std::nullopt});
  }
}

Patching listed(const Architecture& a, const PatchingLimits& limits, std::size_t length) {
  Patching result;
  result.length = length;
  const std::size_t heads = a.layers * a.heads_per_layer();
  const auto few_heads = [&](std::size_t limit, const char* what) {
    return within_limit(what, heads, "heads", limit, result.skipped);
  };
  const bool by_position =
      few_heads(limits.position_heads, "heads by position") &&
      within_limit("heads by position", length, "positions", limits.positions, result.skipped);
  if (few_heads(limits.whole_heads, "heads")) list_heads(a, by_position, result);
  if (few_heads(limits.path_heads, "paths")) list_paths(a, result);
  return result;
}

/// All patches of a result whose lists do not change any more.
std::vector<PlannedPatch> plan(Patching& result) {
  std::vector<PlannedPatch> all;
  for (HeadPatch& patch : result.heads) {
    const auto at = [&](std::size_t first, std::size_t end, Estimate& restored) {
      all.push_back(
          {[patch, first, end](PairRuns& runs) { return edits_of(patch, first, end, runs); },
           &restored});
    };
    at(0, result.length, patch.whole);
    for (std::size_t t = 0; t < patch.by_position.size(); ++t) at(t, t + 1, patch.by_position[t]);
  }
  for (PathPatch& patch : result.paths) {
    all.push_back({[patch](PairRuns& runs) { return edits_of(patch, runs); }, &patch.restored});
  }
  return all;
}

/// The metric of one pair: clean, corrupted, and with each patch.
struct PairMetrics {
  double clean = 0;
  double corrupted = 0;
  std::vector<double> patched;
};

std::vector<std::string> recorded_activations(const Architecture& a) {
  std::vector<std::string> names = component_activations(a);
  for (std::size_t layer = 0; layer < a.layers; ++layer) {
    for (const Patched patched : patched_activations(a)) {
      if (patched != Patched::z) names.push_back(activation_of(patched, layer));
    }
  }
  return names;
}

Result<PairMetrics> measure_pair(Runner& runner, const CorruptedPair& pair,
                                 const std::vector<PlannedPatch>& planned) {
  const std::vector<std::string> names = recorded_activations(runner.model().architecture());
  PairMetrics metrics{0, 0, std::vector<double>(planned.size())};
  const auto metric = [&] { return runner.log_probability(pair.query, pair.right); };
  Recording clean;
  Recording corrupted;
  if (const auto run = runner.record(pair.clean, names, clean); !run) return run.error();
  metrics.clean = metric();
  if (const auto run = runner.record(pair.corrupted, names, corrupted); !run) return run.error();
  metrics.corrupted = metric();
  PairRuns runs{clean, corrupted, Context(runner.model(), pair.corrupted, corrupted, clean, clean)};
  std::vector<Edits> edits;
  edits.reserve(planned.size());
  for (const PlannedPatch& patch : planned) edits.push_back(patch.edits(runs));
  const auto order = latest_first(runner.model().program, edits);
  if (!order) return order.error();
  for (const std::size_t i : *order) {
    metrics.patched[i] = metrics.corrupted;
    if (edits[i].empty()) continue;
    if (const auto run = runner.run(pair.corrupted, edits[i]); !run) return run.error();
    metrics.patched[i] = metric();
  }
  return metrics;
}

void summarize(const std::vector<Result<PairMetrics>>& pairs,
               const std::vector<PlannedPatch>& planned, Patching& result) {
  std::vector<double> clean;
  std::vector<double> corrupted;
  std::vector<double> difference;
  for (const auto& pair : pairs) {
    clean.push_back(pair->clean);
    corrupted.push_back(pair->corrupted);
    difference.push_back(pair->clean - pair->corrupted);
  }
  result.clean = estimate(clean);
  result.corrupted = estimate(corrupted);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    std::vector<double> restored;
    restored.reserve(pairs.size());
    for (const auto& pair : pairs) restored.push_back(pair->patched[i] - pair->corrupted);
    *planned[i].restored = ratio_estimate(restored, difference);
  }
}

}  // namespace

const char* name_of(Corruption corruption) {
  return corruption == Corruption::answer ? "answer" : "match";
}

const char* name_of(Patched patched) {
  switch (patched) {
    case Patched::q:
      return "q";
    case Patched::k:
      return "k";
    case Patched::v:
      return "v";
    case Patched::z:
      return "z";
    case Patched::pattern:
      return "pattern";
  }
  return "";
}

std::size_t patching_period(std::span<const data::BlockSource::Periods> trained,
                            const Architecture& a) {
  constexpr std::size_t affordable = 32;
  const std::size_t middle = (trained.front().first + trained.back().last) / 2;
  const std::size_t wanted = std::min(affordable, middle);
  std::size_t period = trained.front().first;
  const auto away = [&](std::size_t p) { return p < wanted ? wanted - p : p - wanted; };
  for (const auto& range : trained) {
    const std::size_t nearest = std::clamp(wanted, range.first, range.last);
    if (away(nearest) < away(period)) period = nearest;
  }
  return std::max<std::size_t>(2, std::min(period, a.context / 2));
}

Result<Patching> patching(const Model& model, std::size_t period, Corruption corruption,
                          std::size_t sequences, base::Workers& workers,
                          const PatchingLimits& limits) {
  const Architecture& a = model.architecture();
  if (sequences == 0) return Error{"found 0 sequences to patch, allowed at least 1"};
  const Result<CorruptedPair> first = corrupted_pair(a.vocabulary, period, corruption, 0);
  if (!first) return first.error();
  const std::size_t length = first->clean.size();
  if (Status status = check_inputs(model.program, model.parameters, length, a.vocabulary); !status)
    return status.error();
  Patching result = listed(a, limits, length);
  result.corruption = corruption;
  result.sequences = sequences;
  result.changed = first->changed;
  result.query = first->query;
  const std::vector<PlannedPatch> planned = plan(result);
  std::vector<std::unique_ptr<Runner>> runners(workers.count());
  std::vector<Result<PairMetrics>> pairs(sequences, Error{"not measured"});
  workers.run(sequences, [&](std::size_t index, std::size_t worker) {
    if (!runners[worker]) runners[worker] = std::make_unique<Runner>(model, length);
    const auto pair = corrupted_pair(a.vocabulary, period, corruption, index);
    pairs[index] = pair ? measure_pair(*runners[worker], *pair, planned) : pair.error();
  });
  for (const auto& pair : pairs) {
    if (!pair) return pair.error();
  }
  summarize(pairs, planned, result);
  return result;
}

}  // namespace lookback::lens
