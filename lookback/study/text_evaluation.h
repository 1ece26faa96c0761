// What a language model is worth, as far as it can be asked without anybody else's data: perplexity on
// its own validation text, copying and looking up, and what its values carry.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/go_on.h"
#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/language/task_score.h"
#include "lookback/language/tokenizer.h"
#include "lookback/lens/model.h"
#include "lookback/study/training_data.h"

namespace lookback::study {

/// The tasks of this file, in the order of the article's table.
struct OwnTask {
  std::string_view name;
  bool of_text = false;  ///< whether it needs text to predict
};
inline constexpr OwnTask own_tasks[] = {
    {"perplexity", true}, {"induction"}, {"copy"}, {"lookup"}, {"value-content", true}};

struct TextEvaluationOptions {
  std::size_t windows = 256;   ///< of the validation text, at most
  std::size_t sequences = 64;  ///< of each probe
  std::size_t length = 384;    ///< T of the probes, at most the model's context
};

/// The tokens that are drawn at random: those of the tokenizer but its special ones; of a model
/// without a tokenizer, all V.
std::vector<data::Token> plain_tokens(const language::Tokenizer& tokenizer);

/// The probes alone: "induction" (induction_bump, nats), "copy" (acc) and "lookup" (acc), each with
/// its standard error over sequences. Errors: those of Predictor::run; too few plain tokens.
Result<std::vector<language::TaskScore>> evaluate_probes(const lens::Model& model,
                                                         std::span<const data::Token> plain,
                                                         const TextEvaluationOptions& options,
                                                         base::Workers& workers,
                                                         const base::GoOn& go_on = {});

/// "perplexity" (token_perplexity) on the validation text in windows of `length` tokens, those of the
/// model's training. The standard error is first-order, over windows.
Result<language::TaskScore> evaluate_perplexity(const lens::Model& model, const Text& text,
                                                std::size_t length,
                                                const TextEvaluationOptions& options,
                                                base::Workers& workers,
                                                const base::GoOn& go_on = {});

/// "value-content" (perplexity_ratio): the factor of value_content.h on the same windows, with its
/// standard error in the same way.
Result<language::TaskScore> evaluate_value_content(const lens::Model& model, const Text& text,
                                                   std::size_t length,
                                                   const TextEvaluationOptions& options,
                                                   base::Workers& workers,
                                                   const base::GoOn& go_on = {});

}  // namespace lookback::study
