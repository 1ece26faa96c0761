// Everything that the lens finds in one model: what `lookback inspect` shows.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "lookback/base/result.h"
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
  /// What scores are measured on; the first also what interventions are measured on. None: the
  /// probes of the run.
  std::vector<std::string> probes = {};
  std::size_t sequences = 64;  ///< of each probe, at least 2
  lens::CircuitOptions circuits = {};
  std::stop_token stop = {};  ///< heeded between the parts of an inspection
};

/// One probe: scores with their chance levels.
struct ProbeInspection {
  std::string name;
  std::string description;  ///< what is drawn
  lens::ProbeResult result;
  lens::HeadScores chance;
};

struct Inspection {
  std::vector<ProbeInspection> probes;
  /// What `sequence`, `ablations` and `mechanism` are of.
  std::string intervened_on;
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
  std::vector<std::string> skipped;  ///< one line each: what was left out, what was found, allowed
};

/// The number of sequences that interventions are measured on: as many as requested if the model is
/// small enough to take seconds, otherwise fewer, but at least 8 unless fewer were requested.
std::size_t intervention_sequences(const model::Program& program, std::size_t length,
                                   std::size_t asked);

/// Measures everything. The same bits for any number of threads. Errors: fewer than 2 sequences, a probe
/// that does not fit the model, what the analyses refuse, a stop.
Result<Inspection> inspect(const SavedModel& model, const InspectionOptions& options,
                           model::Engine& engine);

}  // namespace lookback::study
