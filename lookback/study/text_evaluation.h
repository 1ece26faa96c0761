// Evaluates a language model without external data: perplexity on its own validation text, copying
// and looking up, and what its values carry.
//
// Legend: T positions, V tokens.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/control.h"
#include "lookback/base/result.h"
#include "lookback/language/task_score.h"
#include "lookback/language/tokenizer.h"
#include "lookback/lens/model.h"
#include "lookback/model/engine.h"
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

/// The tokens to draw at random: those of the tokenizer except its special ones; without a
/// tokenizer, all V.
std::vector<data::Token> plain_tokens(const language::Tokenizer& tokenizer);

/// How many bytes of text each token stands for, 0 for a special token, which is not text: [V].
std::vector<std::size_t> text_bytes(const language::Tokenizer& tokenizer);

/// The probes alone: "induction" (induction_bump, nats), "copy" (acc) and "lookup" (acc), each with
/// its standard error over sequences. Errors: those of Predictor::run; too few plain tokens.
Result<std::vector<language::TaskScore>> evaluate_probes(const lens::Model& model,
                                                         std::span<const data::Token> plain,
                                                         const TextEvaluationOptions& options,
                                                         model::Engine& engine,
                                                         const base::Control& control = {});

/// "perplexity" of the validation text in windows of `length` tokens, as in the model's training,
/// spread evenly over all of it: "loss" (nats a token), "token_perplexity" (exp of it) and
/// "bits_per_byte": the nats of the text tokens divided by ln 2 and by their bytes, both without
/// special tokens. `token_bytes` are text_bytes() of the tokenizer that made the tokens. Standard
/// errors are first-order, over windows.
Result<language::TaskScore> evaluate_perplexity(const lens::Model& model, const Text& text,
                                                std::span<const std::size_t> token_bytes,
                                                std::size_t length,
                                                const TextEvaluationOptions& options,
                                                model::Engine& engine,
                                                const base::Control& control = {});

/// "value-content" on the same windows: "loss_rise" (nats a token), what value_content.h's ablation adds
/// to the loss, and "perplexity_ratio", exp of it.
Result<language::TaskScore> evaluate_value_content(const lens::Model& model, const Text& text,
                                                   std::size_t length,
                                                   const TextEvaluationOptions& options,
                                                   model::Engine& engine,
                                                   const base::Control& control = {});

}  // namespace lookback::study
