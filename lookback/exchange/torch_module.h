// Our own PyTorch module (torch_model.py): its configuration and tensors, for every architecture.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "lookback/base/result.h"
#include "lookback/exchange/layout.h"
#include "lookback/model/architecture.h"

namespace lookback::exchange {

/// What config.json says at "format".
inline constexpr const char* torch_format = "lookback torch module 1";

/// The keys of [model] in a study file, as JSON, with the format and the norms' epsilon.
Result<nlohmann::ordered_json> torch_config(const model::Architecture& architecture);

/// Every parameter under its own name and in its own shape.
Layout torch_layout(const model::Program& program);

}  // namespace lookback::exchange
