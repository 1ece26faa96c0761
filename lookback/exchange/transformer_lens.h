// TransformerLens's HookedTransformer: its configuration and the tensors of its state dict.
// https://github.com/TransformerLensOrg/TransformerLens, HookedTransformerConfig and components/.
//
// Its buffers (mask, IGNORE, rotary_sin, rotary_cos) are constants of the configuration that differ
// between its versions: an export leaves them to the version that loads it, and an import ignores
// them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "lookback/base/result.h"
#include "lookback/exchange/json_config.h"
#include "lookback/exchange/layout.h"
#include "lookback/model/architecture.h"

namespace lookback::exchange {

/// An architecture as HookedTransformer sees it: always with biases, values and outputs (without
/// OV: W_V = W_K and the identity), a separate unembedding, a table of positions unless they are
/// rotary, the same norm everywhere. Equal for two architectures if they have the same
/// configuration there. Errors, with the reason: sequential steps, smeared keys, no OV if keys
/// contain positions (shortformer, or after rotation), norms of several kinds (only a final RMSNorm
/// after LayerNorms is possible).
Result<model::Architecture> as_transformer_lens(const model::Architecture& architecture);

/// HookedTransformerConfig's fields. REQUIRES that as_transformer_lens() gives no error.
nlohmann::ordered_json transformer_lens_config(const model::Architecture& architecture);

/// The inverse, in the form of as_transformer_lens().
/// Errors: a field missing, unknown, or with a value that lookback cannot express.
Result<model::Architecture> read_transformer_lens_config(const JsonConfig& config);

/// Every parameter of the state dict. REQUIRES as above, of the program's architecture.
Layout transformer_lens_layout(const model::Program& program);

bool is_transformer_lens_buffer(std::string_view tensor);

}  // namespace lookback::exchange
