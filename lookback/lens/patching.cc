#include "lookback/lens/patching.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "lookback/base/require.h"
#include "lookback/lens/ablation_edits.h"
#include "lookback/lens/limits.h"

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

/// The recordings of one pair. As a Context, its own sequence is the corrupted one and the other
/// the clean one, so that a resample ablation of a path is its patch.
struct PairRuns {
  const Recording& clean;
  const Recording& corrupted;
  Context context;
};

/// Sets one head's activation to the clean run's at positions first .. end - 1; no edit at all where
/// it is the same in both runs.
Edits edits_of(const HeadPatch& patch, std::size_t first, std::size_t end, PairRuns& runs) {
  const std::string activation = activation_of(patch.activation, patch.head.layer);
  Edit edit = model::set(activation, patch.head.head, runs.clean.at(activation, patch.head.head));
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

/// Components that are the same in every sequence have nothing to restore, and are excluded.
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

/// Log-probability in nats that a row of logits gives a token.
double log_probability(std::span<const float> logits, model::Token token) {
  const auto largest = static_cast<double>(std::ranges::max(logits));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return static_cast<double>(logits[token]) - largest - std::log(sum);
}

/// The log-probability of the right answer in each job, and what is recorded from it.
class Answers final : public model::Observer {
 public:
  Answers(const CorruptedPair& pair, std::size_t jobs)
      : metrics(jobs), recordings(jobs), pair_(pair) {}

  void activation(std::size_t job, const model::Place& place,
                  math::Matrix<const float> x) override {
    recordings[job].put(place.name, place.head, x);
  }
  void output(std::size_t job, model::Output& output) override {
    const math::Matrix<const float> logits = output.logits();
    metrics[job] = log_probability({logits.row(pair_.query), logits.cols}, pair_.right);
  }

  std::vector<double> metrics;
  std::vector<Recording> recordings;

 private:
  const CorruptedPair& pair_;
};

Result<PairMetrics> measure_pair(const Model& model, model::Session& session,
                                 const CorruptedPair& pair,
                                 const std::vector<PlannedPatch>& planned) {
  const Plan look{{}, recorded_activations(model.architecture())};
  const std::vector<model::Job> whole{{pair.clean, &look}, {pair.corrupted, &look}};
  Answers seen(pair, whole.size());
  if (Status ran = session.forward(model.parameters, whole, seen); !ran) return ran.error();
  PairMetrics metrics{seen.metrics[0], seen.metrics[1],
                      std::vector<double>(planned.size(), seen.metrics[1])};
  const Recording &clean = seen.recordings[0], &corrupted = seen.recordings[1];
  PairRuns runs{clean, corrupted, Context(model, pair.corrupted, corrupted, clean, clean)};
  std::vector<Plan> plans;
  plans.reserve(planned.size());
  for (const PlannedPatch& patch : planned) plans.push_back({patch.edits(runs), {}});
  std::vector<model::Job> jobs;
  std::vector<std::size_t> patch_of;  // by job; a patch that changes nothing is none
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].edits.empty()) continue;
    jobs.push_back({pair.corrupted, &plans[i]});
    patch_of.push_back(i);
  }
  Answers patched(pair, jobs.size());
  if (Status ran = session.forward(model.parameters, jobs, patched); !ran) return ran.error();
  for (std::size_t i = 0; i < jobs.size(); ++i) metrics.patched[patch_of[i]] = patched.metrics[i];
  return metrics;
}

void summarize(const std::vector<PairMetrics>& pairs, const std::vector<PlannedPatch>& planned,
               Patching& result) {
  std::vector<double> clean;
  std::vector<double> corrupted;
  std::vector<double> difference;
  for (const auto& pair : pairs) {
    clean.push_back(pair.clean);
    corrupted.push_back(pair.corrupted);
    difference.push_back(pair.clean - pair.corrupted);
  }
  result.clean = estimate(clean);
  result.corrupted = estimate(corrupted);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    std::vector<double> restored;
    restored.reserve(pairs.size());
    for (const auto& pair : pairs) restored.push_back(pair.patched[i] - pair.corrupted);
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

std::size_t patching_period(std::span<const data::Offsets> trained, const Architecture& a) {
  LOOKBACK_REQUIRE(!trained.empty());
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
                          std::size_t sequences, model::Engine& engine,
                          const PatchingLimits& limits) {
  const Architecture& a = model.architecture();
  if (sequences == 0) return Error{"found 0 sequences to patch, allowed at least 1"};
  const Result<CorruptedPair> first = corrupted_pair(a.vocabulary, period, corruption, 0);
  if (!first) return first.error();
  const std::size_t length = first->clean.size();
  Status fits = model::check_inputs(model.program, model.parameters, length, a.vocabulary);
  if (!fits) return fits.error();
  Patching result = listed(a, limits, length);
  result.corruption = corruption;
  result.sequences = sequences;
  result.changed = first->changed;
  result.query = first->query;
  const std::vector<PlannedPatch> planned = plan(result);
  const auto session = engine.open(model.program, model::Keep::everything);
  std::vector<PairMetrics> pairs;
  for (std::size_t index = 0; index < sequences; ++index) {
    const auto pair = corrupted_pair(a.vocabulary, period, corruption, index);
    if (!pair) return pair.error();
    Result<PairMetrics> measured = measure_pair(model, *session, *pair, planned);
    if (!measured) return measured.error();
    pairs.push_back(*std::move(measured));
  }
  summarize(pairs, planned, result);
  return result;
}

}  // namespace lookback::lens
