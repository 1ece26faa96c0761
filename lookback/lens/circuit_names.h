// Names of circuits, and of how the model's parts along them were treated, for files and messages.
#pragma once

#include <string>
#include <string_view>

#include "lookback/lens/circuit_factors.h"

namespace lookback::lens {

/// "ov", "qk", "qk_before", "q_composition", "k_composition", "v_composition".
std::string_view circuit_kind_name(CircuitKind kind);

/// "folded", "frozen", "ignored".
std::string_view treatment_name(Treatment treatment);

/// "ov of head 1.0", "k_composition of heads 0.1 and 1.0".
std::string circuit_name(const CircuitId& id);

}  // namespace lookback::lens
