// Everything that the lens finds in one model: what `lookback inspect` shows.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/ablation.h"
#include "lookback/lens/attention.h"
#include "lookback/lens/circuits.h"
#include "lookback/lens/composition.h"
#include "lookback/lens/mechanism.h"
#include "lookback/lens/patching.h"
#include "lookback/lens/probe_result.h"
#include "lookback/model/engine.h"
#include "lookback/study/saved_model.h"

namespace lookback::study {

struct InspectionOptions {
  /// The probes to measure scores on; interventions use the first. Empty: the probes of the run.
  std::vector<data::BlockKind> probes = {};
  std::size_t sequences = 64;  ///< of each probe, at least 2
  lens::CircuitOptions circuits = {};
  /// Asked between the parts of an inspection; absent: it runs to its end.
  std::function<bool()> stop = {};
};

/// One probe: scores with their chance levels.
struct ProbeInspection {
  data::BlockKind kind = data::BlockKind::repeated_blocks;
  std::string description;  ///< the periods that are drawn
  lens::ProbeResult result;
  lens::HeadScores chance;
};

struct Inspection {
  std::vector<ProbeInspection> probes;
  /// The probe of `sequence`, `ablations` and `mechanism`.
  data::BlockKind intervened_on = data::BlockKind::repeated_blocks;
  std::vector<model::Token> sequence;         ///< [T]: sequence 0 of that probe
  std::vector<lens::AttentionMap> attention;  ///< of every head on it; none beyond a limit
  lens::Composition composition;
  lens::Circuits circuits;
  lens::Ablations ablations;
  std::vector<lens::Patching> patchings;  ///< one a corruption
  lens::MechanismResult mechanism;
  /// Those of the run in whose directory the checkpoint is, up to its step, as transitions_of
  /// (findings.h) gives them; otherwise null.
  nlohmann::json transitions = nullptr;
  std::vector<std::string> skipped;  ///< one line each: what was skipped, found and allowed
  bool stopped = false;              ///< a stop was asked for: not all of the above is there
};

/// The number of sequences that interventions are measured on: as many as requested if the model is
/// small enough to take seconds, otherwise fewer, but at least 8 unless fewer were requested.
std::size_t intervention_sequences(const model::Program& program, std::size_t length,
                                   std::size_t asked);

/// Measures everything, or what comes before a stop. The same bits for any number of threads.
/// Errors: fewer than 2 sequences, a probe that does not fit the model, errors of the analyses.
Result<Inspection> inspect(const SavedModel& model, const InspectionOptions& options,
                           model::Engine& engine);

}  // namespace lookback::study
