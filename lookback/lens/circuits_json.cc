#include "lookback/lens/circuits_json.h"

#include <string>

#include "lookback/lens/circuit_names.h"
#include "lookback/lens/json_parts.h"
#include "lookback/lens/to_json.h"

namespace lookback::lens {
namespace {

using nlohmann::json;

/// A list of words for each treatment, including empty lists.
void add_notes(const std::vector<CircuitNote>& notes, json& object) {
  for (const Treatment treatment : {Treatment::folded, Treatment::frozen, Treatment::ignored}) {
    json& list = object[std::string(treatment_name(treatment))] = json::array();
    for (const CircuitNote& note : notes) {
      if (note.treatment == treatment) list.push_back(note.what);
    }
  }
}

}  // namespace

json circuit_json(const CircuitSummary& summary) {
  json object = {{"kind", std::string(circuit_kind_name(summary.id.kind))},
                 {"head", place_json(summary.id.head)},
                 {"eigenvalues", json::array()},
                 {"singular_values", rounded_list(summary.singular_values)},
                 {"frobenius_norm", rounded(summary.frobenius_norm)},
                 {"trace", rounded(summary.trace)},
                 {"eigenvalue_score", rounded(summary.eigenvalue_score)},
                 {"matching_score", rounded(summary.matching.score)},
                 {"diagonal_share", rounded(summary.matching.diagonal_share)},
                 {"rows", summary.matching.rows},
                 {"largest", json::array()}};
  if (summary.id.from) object["from"] = place_json(*summary.id.from);
  for (const std::complex<double>& value : summary.eigenvalues) {
    object["eigenvalues"].push_back(json::array({rounded(value.real()), rounded(value.imag())}));
  }
  for (const MatrixEntry& entry : summary.largest) {
    object["largest"].push_back(
        {{"row", entry.row}, {"column", entry.column}, {"value", rounded(entry.value)}});
  }
  add_notes(summary.notes, object);
  return object;
}

json positional_json(const PositionalCircuit& circuit) {
  json object = {{"head", place_json(circuit.head)},
                 {"by_offset", rounded_list(circuit.by_offset)}};
  add_notes(circuit.notes, object);
  return object;
}

json circuits_json(const Circuits& circuits) {
  json object = {{"vocabulary", circuits.vocabulary},
                 {"direct", json::array()},
                 {"composed", json::array()},
                 {"pairs_left_out", circuits.pairs_left_out},
                 {"positional", json::array()}};
  for (const CircuitSummary& summary : circuits.direct) {
    object["direct"].push_back(circuit_json(summary));
  }
  for (const CircuitSummary& summary : circuits.composed) {
    object["composed"].push_back(circuit_json(summary));
  }
  for (const PositionalCircuit& circuit : circuits.positional) {
    object["positional"].push_back(positional_json(circuit));
  }
  return object;
}

}  // namespace lookback::lens
