#include "lookback/cli/read_checkpoint.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "lookback/lens/attention.h"
#include "lookback/lens/circuit_corners.h"
#include "lookback/lens/circuit_names.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/run_config.h"
#include "lookback/study/saved_model.h"
#include "lookback/study/study_file.h"

namespace lookback::cli {
namespace {

/// The most weights in one checkpoint's maps; beyond this not even one checkpoint fits a page.
constexpr std::size_t most_map_weights = 25'000'000;

Result<report::HeldOutSequence> held_out_sequence(const study::Study& study) {
  const study::RunConfig& arm = study.arms.front();
  const auto probe = study::probe_task(arm, arm.data.main_probe());
  if (!probe) return probe.error();
  const bool has_period = !(*probe)->profile().periods.empty();
  return report::HeldOutSequence{(*probe)->sequence(0),
                                 has_period ? (*probe)->structure(0).opening : 0};
}

void read_maps(const study::SavedModel& saved, const report::HeldOutSequence& sequence,
               report::CheckpointContents& contents) {
  const model::Architecture& architecture = saved.program.architecture;
  const std::size_t heads = architecture.layers * architecture.heads_per_layer();
  const std::size_t length = sequence.tokens.size();
  if (length > 0 && heads > most_map_weights / length / length) {
    contents.maps_fault =
        fmt::format("found {} heads on {} tokens, allowed for attention maps on a page: {} weights",
                    heads, length, most_map_weights);
    return;
  }
  model::CpuEngine engine(1);  // several checkpoints are read at a time
  auto maps = lens::attention_maps({saved.program, saved.parameters}, engine, sequence.tokens);
  if (!maps) {
    contents.maps_fault = maps.error().message;
    return;
  }
  for (lens::AttentionMap& map : *maps) {
    contents.maps.push_back({map.place.layer, map.place.head,
                             fmt::format("layer {}, head {}", map.place.layer, map.place.head),
                             std::move(map.weights)});
  }
}

report::LensHead head_of(const lens::HeadPlace& place) { return {place.layer, place.head}; }

void read_circuits(const study::SavedModel& saved, report::CheckpointContents& contents) {
  auto corners = lens::circuit_corners(
      saved.program, saved.parameters,
      {.side = report::most_frame_tokens, .circuits = report::most_frame_circuits});
  if (!corners) {
    contents.circuits_fault = corners.error().message;
    return;
  }
  contents.side = corners->side;
  contents.circuits_left_out = corners->left_out;
  for (lens::CircuitCorner& one : corners->circuits) {
    report::LensCircuit circuit;
    circuit.kind = lens::circuit_kind_name(one.id.kind);
    circuit.head = head_of(one.id.head);
    if (one.id.from) circuit.from = head_of(*one.id.from);
    circuit.eigenvalues = std::move(one.eigenvalues);
    circuit.eigenvalue_score = one.eigenvalue_score;
    circuit.matching_score = one.matching_score;
    circuit.matrix = std::move(one.corner);
    contents.circuits.push_back(std::move(circuit));
  }
}

Result<report::CheckpointContents> read_checkpoint(const std::filesystem::path& file,
                                                   const report::HeldOutSequence& sequence) {
  const Result<study::SavedModel> saved = study::read_model(file);
  if (!saved) return saved.error();
  report::CheckpointContents contents;
  read_maps(*saved, sequence, contents);
  read_circuits(*saved, contents);
  return contents;
}

}  // namespace

report::StudyReaders study_readers() { return {held_out_sequence, read_checkpoint}; }

}  // namespace lookback::cli
