#include "lookback/report/frames_data.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "lookback/report/json_access.h"
#include "lookback/report/lens_section.h"

namespace lookback::report {
namespace {

using nlohmann::json;

json short_number(double value) {
  constexpr int digits = 4;
  return std::isfinite(value) ? json(round_significant(value, digits)) : json(nullptr);
}

json frame_circuit(const EncodedCircuit& encoded) {
  const LensCircuit& circuit = encoded.circuit;
  json eigenvalues = json::array();
  for (const std::complex<double>& value : circuit.eigenvalues) {
    eigenvalues.push_back({short_number(value.real()), short_number(value.imag())});
  }
  return {
      {"title", circuit_title(circuit)},
      {"kind", circuit.kind},
      {"head", circuit.head.name()},
      {"from", circuit.from ? json(circuit.from->name()) : json(nullptr)},
      {"score", short_number(circuit.eigenvalue_score)},
      {"matching", circuit.matching_score ? short_number(*circuit.matching_score) : json(nullptr)},
      {"scale", short_number(encoded.scale)},
      {"map", encoded.text},
      {"eigenvalues", std::move(eigenvalues)}};
}

}  // namespace

json frames_data(const StudyReport& study) {
  json data = json::array();
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (const Run& run : study.arms[arm].runs) {
      json checkpoints = json::array();
      std::size_t side = 0;
      for (const auto& checkpoint : run.checkpoints) {
        if (checkpoint->circuits.empty()) continue;
        side = checkpoint->side;
        json circuits = json::array();
        for (const EncodedCircuit& circuit : checkpoint->circuits) {
          circuits.push_back(frame_circuit(circuit));
        }
        checkpoints.push_back({{"tokens", checkpoint->tokens}, {"circuits", std::move(circuits)}});
      }
      if (checkpoints.empty()) continue;
      data.push_back({{"arm", arm},
                      {"seed", run.seed},
                      {"side", side},
                      {"checkpoints", std::move(checkpoints)}});
    }
  }
  return data;
}

}  // namespace lookback::report
