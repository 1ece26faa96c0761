// Circuits as JSON. Numbers and heads as in to_json.h.
#pragma once

#include <nlohmann/json.hpp>

#include "lookback/lens/circuits.h"

namespace lookback::lens {

/// {"kind": see circuit_names.h, "head": {"layer", "head"}, "from": the same, compositions only,
///  "eigenvalues": [[re, im]], "singular_values": [], "frobenius_norm", "trace",
///  "eigenvalue_score", "matching_score", "diagonal_share", "rows": how many rows were looked at,
///  "largest": [{"row", "column", "value"}], "folded": [], "frozen": [], "ignored": [] (words)}
/// The whole matrices are not in it.
nlohmann::json circuit_json(const CircuitSummary& summary);

/// {"head": {"layer", "head"}, "by_offset": [T], "folded": [], "frozen": [], "ignored": []}
nlohmann::json positional_json(const PositionalCircuit& circuit);

/// {"vocabulary", "direct": [circuit_json], "composed": [circuit_json], "pairs_left_out",
///  "positional": [positional_json]}
nlohmann::json circuits_json(const Circuits& circuits);

}  // namespace lookback::lens
