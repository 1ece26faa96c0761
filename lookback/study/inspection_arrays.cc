#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/safetensors.h"
#include "lookback/base/version.h"
#include "lookback/lens/circuit_names.h"
#include "lookback/study/inspection_json.h"

namespace lookback::study {
namespace {

using Array = InspectionArray;
using Arrays = std::vector<Array>;

constexpr std::string_view any_format = "lookback inspection ";

std::string name_of(lens::HeadPlace place) { return fmt::format("{}.{}", place.layer, place.head); }

std::vector<float> floats(std::span<const double> values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(static_cast<float>(value));
  return result;
}

void add_row(std::string name, std::span<const double> values, Arrays& arrays) {
  arrays.push_back({std::move(name), {values.size()}, floats(values)});
}

void add_square(std::string name, const std::vector<float>& values, std::size_t side,
                Arrays& arrays) {
  if (!values.empty()) arrays.push_back({std::move(name), {side, side}, values});
}

void add_probe(const ProbeInspection& probe, Arrays& arrays) {
  const std::string start = data::name_of(probe.kind) + '/';
  const auto& sequences = probe.result.sequences;
  Array losses{start + "losses", {sequences.size(), sequences.front().losses.size()}, {}};
  for (const lens::SequenceResult& one : sequences) {
    losses.values.insert(losses.values.end(), one.losses.begin(), one.losses.end());
  }
  arrays.push_back(std::move(losses));
  for (const lens::HeadMeasure& measure : lens::head_measures()) {
    Array scores{
        start + std::string(measure.name), {sequences.size(), probe.result.heads.size()}, {}};
    for (const lens::SequenceResult& one : sequences) {
      for (const lens::HeadScores& head : one.heads) {
        scores.values.push_back(static_cast<float>(head.*measure.value));
      }
    }
    arrays.push_back(std::move(scores));
  }
}

void add_circuit(const lens::CircuitSummary& circuit, std::size_t vocabulary, Arrays& arrays) {
  const lens::CircuitId& id = circuit.id;
  const std::string heads = id.from ? name_of(*id.from) + '-' + name_of(id.head) : name_of(id.head);
  const std::string start = fmt::format("circuits/{}/{}/", lens::circuit_kind_name(id.kind), heads);
  Array eigenvalues{start + "eigenvalues", {circuit.eigenvalues.size(), 2}, {}};
  for (const std::complex<double>& value : circuit.eigenvalues) {
    eigenvalues.values.push_back(static_cast<float>(value.real()));
    eigenvalues.values.push_back(static_cast<float>(value.imag()));
  }
  arrays.push_back(std::move(eigenvalues));
  add_row(start + "singular_values", circuit.singular_values, arrays);
  add_square(start + "matrix", circuit.dense, vocabulary, arrays);
}

void add_patching(const lens::Patching& patching, Arrays& arrays) {
  for (const lens::HeadPatch& patch : patching.heads) {
    if (patch.by_position.empty()) continue;
    std::vector<double> restored;
    for (const lens::Estimate& position : patch.by_position) restored.push_back(position.mean);
    add_row(fmt::format("patching/{}/{}/{}", lens::name_of(patching.corruption),
                        lens::name_of(patch.activation), name_of(patch.head)),
            restored, arrays);
  }
}

}  // namespace

Arrays inspection_arrays(const Inspection& inspection) {
  Arrays arrays;
  arrays.push_back({"sequence",
                    {inspection.sequence.size()},
                    {inspection.sequence.begin(), inspection.sequence.end()}});
  for (const lens::AttentionMap& map : inspection.attention) {
    add_square("attention/" + name_of(map.place), map.weights, inspection.sequence.size(), arrays);
  }
  for (const ProbeInspection& probe : inspection.probes) add_probe(probe, arrays);
  for (const lens::CircuitSummary& circuit : inspection.circuits.direct) {
    add_circuit(circuit, inspection.circuits.vocabulary, arrays);
  }
  for (const lens::CircuitSummary& circuit : inspection.circuits.composed) {
    add_circuit(circuit, inspection.circuits.vocabulary, arrays);
  }
  for (const lens::PositionalCircuit& circuit : inspection.circuits.positional) {
    const std::string start = "positional/" + name_of(circuit.head);
    add_row(start + "/by_offset", circuit.by_offset, arrays);
    add_square(start + "/scores", circuit.scores, circuit.by_offset.size(), arrays);
  }
  for (const lens::Patching& patching : inspection.patchings) add_patching(patching, arrays);
  return arrays;
}

Status write_inspection_arrays(const std::filesystem::path& file, const SavedModel& model,
                               const Inspection& inspection) {
  const Arrays arrays = inspection_arrays(inspection);
  std::vector<base::Tensor> tensors;
  tensors.reserve(arrays.size());
  for (const Array& array : arrays) tensors.push_back({array.name, array.shape, array.values});
  // Without the commit: builds that compute the same write the same bytes.
  const std::string_view version = base::version().substr(0, base::version().find(' '));
  return base::write_safetensors(file, tensors,
                                 {{"format", inspection_format},
                                  {"arm", model.config.arm},
                                  {"seed", std::to_string(model.header.seed)},
                                  {"step", std::to_string(model.header.step)},
                                  {"tokens", std::to_string(model.header.tokens)},
                                  {"version", std::string(version)}});
}

Status check_arrays_file(const std::filesystem::path& file) {
  const Result<bool> there = base::is_there(file);
  if (!there) return there.error();
  if (!*there) return {};
  const Result<base::SafetensorsFile> found = base::SafetensorsFile::read(file);
  if (found) {
    const auto format = found->metadata().find("format");
    if (format != found->metadata().end() && format->second.starts_with(any_format)) return {};
  }
  const std::string reason =
      found ? file.string() + ": does not hold the arrays of an inspection" : found.error().message;
  return Error{reason + "; arrays only replace such a file; remove it, or use another name"};
}

}  // namespace lookback::study
