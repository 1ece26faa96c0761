// Evaluates a run that learned from text, once it has ended.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/study/run_config.h"
#include "lookback/study/study.h"
#include "lookback/study/text_evaluation.h"

namespace lookback::study {

/// Writes evaluation.json (language/task_results.h) of a finished run's last checkpoint: the tasks of
/// text_evaluation.h. Leaves a run alone that learned from repeated blocks, has one, or diverged. A run
/// whose evaluation cannot be made stands without it: a message says why. Errors: a file that cannot
/// be written. REQUIRES that the caller holds the lock of the directory.
Status evaluate_run(const RunConfig& config, const std::filesystem::path& directory,
                    base::Workers& workers, Listener& listener);

/// The same for any model: the tasks that need nothing but it, its tokenizer and, if not null, text to
/// predict in windows of `length` tokens.
Result<std::vector<language::TaskScore>> evaluate_alone(const lens::Model& model,
                                                        const language::Tokenizer& tokenizer,
                                                        const Text* text, std::size_t length,
                                                        base::Workers& workers);

}  // namespace lookback::study
