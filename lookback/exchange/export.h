// Writes a model for another program: a directory with config.json, model.safetensors and, if
// loading them needs Python, a short script.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/language/tokenizer.h"
#include "lookback/study/saved_model.h"

namespace lookback::exchange {

enum class Target {
  transformer_lens,  ///< a HookedTransformer; load.py builds it
  torch,             ///< model.py, a PyTorch module of its own, for every architecture
  huggingface,       ///< a GPT2LMHeadModel
};

/// "transformer-lens", "torch", "huggingface", in this order.
std::span<const std::string> target_names();
/// Errors: another name.
Result<Target> parse_target(std::string_view name);

/// Makes the directory if necessary and replaces the files of these names in it. The logits of the
/// exported model equal ours up to rounding. A `tokenizer` (or null) goes with a model for Hugging
/// Face, as tokenizer.json and tokenizer_config.json, and its <|endoftext|> into the configuration.
/// Errors: an architecture that the target cannot express, with the reason; a tokenizer.json in the
/// directory that would be taken for the tokenizer of a model without one; errors of writing.
Status write_export(const study::SavedModel& model, Target target,
                    const std::filesystem::path& directory,
                    const language::Tokenizer* tokenizer = nullptr);

}  // namespace lookback::exchange
