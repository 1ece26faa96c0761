// A model as evaluation tasks use it.
#pragma once

#include <span>

#include "lookback/base/go_on.h"
#include "lookback/language/task_score.h"
#include "lookback/model/engine.h"
#include "lookback/model/program.h"

namespace lookback::language {

/// Runs each window without its last token, several at a time, and answers for its scored tokens. A
/// window that is requested twice is run once. `go_on` is told about the windows that are run.
/// Program, parameters and engine must outlive the returned function.
Model task_model(const model::Program& program, std::span<const float> parameters,
                 model::Engine& engine, const base::GoOn& go_on = {});

}  // namespace lookback::language
