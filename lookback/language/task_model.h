// A model as evaluation tasks use it.
#pragma once

#include <span>

#include "lookback/base/control.h"
#include "lookback/language/task_score.h"
#include "lookback/model/engine.h"
#include "lookback/model/program.h"

namespace lookback::language {

/// Runs each window without its last token, several at a time, and answers for its scored tokens. The
/// same window asked twice is run once. `control` hears of the windows that are run. Program, parameters and engine must outlive what is returned.
Model task_model(const model::Program& program, std::span<const float> parameters,
                 model::Engine& engine, const base::Control& control = {});

}  // namespace lookback::language
