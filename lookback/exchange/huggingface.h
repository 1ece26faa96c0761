// Hugging Face's GPT2LMHeadModel: its configuration and the tensors of its state dict.
// https://github.com/huggingface/transformers, models/gpt2/{configuration,modeling}_gpt2.py.
//
// Its Conv1D computes y = x W as we do; c_attn holds W_Q, W_K and W_V side by side.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/exchange/json_config.h"
#include "lookback/exchange/layout.h"
#include "lookback/model/architecture.h"

namespace lookback::exchange {

/// An architecture as GPT2LMHeadModel sees it: the same with biases. Equal for two architectures if
/// they have the same configuration there. Errors, with the reason: whatever is not GPT-2's wiring
/// (learned positions, LayerNorm before attention, before an MLP in each layer, and at the end;
/// heads that split d_model).
Result<model::Architecture> as_huggingface(const model::Architecture& architecture);

/// config.json, with the id of <|endoftext|> if there is one. REQUIRES that as_huggingface() gives
/// no error.
nlohmann::ordered_json huggingface_config(const model::Architecture& architecture,
                                          std::optional<data::Token> end);

/// generation_config.json: where generate() begins and stops.
nlohmann::ordered_json huggingface_generation_config(data::Token end);

/// tokenizer_config.json, with which AutoTokenizer reads the tokenizer.json beside it unchanged.
nlohmann::ordered_json huggingface_tokenizer_config(const model::Architecture& architecture,
                                                    bool has_end);

/// The inverse, in the form of as_huggingface().
/// Errors: a size missing, an unknown key, or a value that lookback cannot express.
Result<model::Architecture> read_huggingface_config(const JsonConfig& config);

/// Every parameter. `prefix` is "transformer.", or empty for files of a GPT2Model without its head.
/// REQUIRES as above, of the program's architecture.
Layout huggingface_layout(const model::Program& program, const std::string& prefix);

/// The causal mask that old files contain (attn.bias, attn.masked_bias).
bool is_huggingface_buffer(std::string_view tensor);

}  // namespace lookback::exchange
