// What a page shows of one checkpoint: as plain numbers, and as the compact text of the page.
// Legend of shapes: T positions, S tokens of a circuit's corner.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lookback/report/lens_result.h"

namespace lookback::report {

/// The most circuits of a checkpoint, and the most tokens along each side of one.
inline constexpr std::size_t most_frame_circuits = 32;
inline constexpr std::size_t most_frame_tokens = 64;

/// The attention pattern of one head on the held-out sequence.
struct AttentionMap {
  std::size_t layer = 0;
  std::size_t head = 0;
  std::string label;           // for a person, such as "layer 0, head 1"
  std::vector<float> weights;  // [T, T] row-major, query by source, causal, each row sums to 1
};

/// The contents of a checkpoint as its reader returns them. `circuits` have [S, S] matrices, the
/// corners of the first S tokens. A fault says in one line why there are no maps, or no circuits.
struct CheckpointContents {
  std::vector<AttentionMap> maps;
  std::string maps_fault;
  std::vector<LensCircuit> circuits;
  std::size_t side = 0;               // S
  std::size_t circuits_left_out = 0;  // circuits of the model beyond most_frame_circuits
  std::string circuits_fault;
};

struct EncodedMap {
  std::size_t layer = 0;
  std::size_t head = 0;
  std::string label;
  std::string text;  // as encode_attention writes it
};

struct EncodedCircuit {
  LensCircuit circuit;  // without its matrix
  double scale = 0;
  std::string text;  // as encode_matrix writes it
};

/// One checkpoint of a run, ready for the page.
struct EncodedCheckpoint {
  std::uint64_t tokens = 0;  // training tokens seen when the checkpoint was written
  std::vector<EncodedMap> maps;
  std::string maps_fault;
  std::vector<EncodedCircuit> circuits;
  std::size_t side = 0;
  std::size_t circuits_left_out = 0;
  std::string circuits_fault;
  std::size_t map_bytes = 0;      // that they take on the page, nearly
  std::size_t circuit_bytes = 0;  // likewise
};

/// `contents`, with maps on a sequence of `length` positions. Maps and matrices of the wrong size
/// are faults, and so is having none without another fault.
EncodedCheckpoint encode_checkpoint(CheckpointContents contents, std::uint64_t tokens,
                                    std::size_t length);

}  // namespace lookback::report
