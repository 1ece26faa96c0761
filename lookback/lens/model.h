// A model as the lens sees it: a program, the numbers it runs with, and the engine that runs it.
#pragma once

#include <memory>
#include <span>

#include "lookback/model/engine.h"
#include "lookback/model/plan.h"
#include "lookback/model/program.h"
#include "lookback/model/recording.h"

namespace lookback::lens {

// Interventions are plans, made from recordings.
using model::Edit;
using model::Edits;
using model::Plan;
using model::Recording;
using model::RecordingSum;

/// Owns nothing: both must outlive what is made from it.
struct Model {
  const model::Program& program;
  std::span<const float> parameters;  ///< the program's flat buffer

  const model::Architecture& architecture() const { return program.architecture; }
};

}  // namespace lookback::lens
