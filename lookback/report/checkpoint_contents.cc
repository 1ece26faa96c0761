#include "lookback/report/checkpoint_contents.h"

#include <utility>

#include "lookback/report/attention_encoding.h"
#include "lookback/report/lens_section.h"
#include "lookback/report/matrix_encoding.h"

namespace lookback::report {
namespace {

/// JSON around the text of a map, around that of a circuit, and of one eigenvalue: about.
constexpr std::size_t bytes_around_map = 96;
constexpr std::size_t bytes_around_circuit = 160;
constexpr std::size_t bytes_an_eigenvalue = 20;

void encode_maps(CheckpointContents& contents, std::size_t length, EncodedCheckpoint& encoded) {
  if (contents.maps.empty() && encoded.maps_fault.empty()) {
    encoded.maps_fault = "it has no attention heads";
  }
  for (AttentionMap& map : contents.maps) {
    Result<std::string> text = encode_attention(map.weights, length);
    if (!text) {
      encoded.maps.clear();
      encoded.map_bytes = 0;
      encoded.maps_fault = map.label + ": " + text.error().message;
      return;
    }
    encoded.map_bytes += text->size() + bytes_around_map;
    encoded.maps.push_back({map.layer, map.head, std::move(map.label), std::move(*text)});
  }
}

void encode_circuits(CheckpointContents& contents, EncodedCheckpoint& encoded) {
  for (LensCircuit& circuit : contents.circuits) {
    Result<EncodedMatrix> matrix = encode_matrix(circuit.matrix, contents.side);
    if (!matrix) {
      encoded.circuits.clear();
      encoded.circuit_bytes = 0;
      encoded.circuits_fault = circuit_title(circuit) + ": " + matrix.error().message;
      return;
    }
    circuit.matrix = {};
    encoded.circuit_bytes += matrix->text.size() + bytes_around_circuit +
                             bytes_an_eigenvalue * circuit.eigenvalues.size();
    encoded.circuits.push_back({std::move(circuit), matrix->scale, std::move(matrix->text)});
  }
}

}  // namespace

EncodedCheckpoint encode_checkpoint(CheckpointContents contents, std::uint64_t tokens,
                                    std::size_t length) {
  EncodedCheckpoint encoded;
  encoded.tokens = tokens;
  encoded.maps_fault = std::move(contents.maps_fault);
  encoded.circuits_fault = std::move(contents.circuits_fault);
  encoded.side = contents.side;
  encoded.circuits_left_out = contents.circuits_left_out;
  encode_maps(contents, length, encoded);
  encode_circuits(contents, encoded);
  return encoded;
}

}  // namespace lookback::report
