#include "lookback/report/lens_data.h"

#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "lookback/report/json_access.h"
#include "lookback/report/lens_section.h"
#include "lookback/report/load_inspection.h"
#include "lookback/report/matrix_encoding.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// One model's part, with its size.
struct LensPart {
  std::size_t arm = 0;
  std::uint64_t seed = 0;
  json data;
  std::size_t figure_bytes = 0;
  std::size_t matrix_bytes = 0;
};

Result<json> matrices_of(const LensResult& result, std::size_t& bytes) {
  json list = json::array();
  for (const auto* circuits : {&result.direct, &result.composed}) {
    for (const LensCircuit& circuit : *circuits) {
      if (circuit.matrix.empty()) continue;
      Result<EncodedMatrix> encoded = encode_matrix(circuit.matrix, result.vocabulary);
      if (!encoded) return encoded.error().at(circuit_title(circuit));
      bytes += encoded->text.size();
      json one = {{"title", circuit_title(circuit)},
                  {"kind", circuit.kind},
                  {"score", round_significant(circuit.eigenvalue_score, 3)},
                  {"matching", nullptr},
                  {"scale", encoded->scale},
                  {"map", std::move(encoded->text)}};
      if (circuit.matching_score) {
        one["matching"] = round_significant(*circuit.matching_score, 3);
      }
      list.push_back(std::move(one));
    }
  }
  return list;
}

/// Why a page does not have the matrix of every circuit, or nothing.
std::string matrices_note(const LensResult& result, std::size_t shown) {
  if (result.vocabulary > most_matrix_tokens) {
    return "Whole circuits are kept up to a vocabulary of " + std::to_string(most_matrix_tokens) +
           " tokens; this model has " + std::to_string(result.vocabulary) + ".";
  }
  const std::size_t all = result.direct.size() + result.composed.size();
  if (shown == all) return "";
  if (shown == 0) return "There is no inspection.safetensors with whole circuits beside this run.";
  return "Shown are " + std::to_string(shown) + " of " + std::to_string(all) + " circuits.";
}

Result<LensPart> make_part(const Run& run, std::size_t arm) {
  const LensResult& result = *run.lens;
  LensPart part{arm, run.seed, {}, 0, 0};
  Result<json> matrices = matrices_of(result, part.matrix_bytes);
  if (!matrices) return matrices.error();
  const std::string note = matrices_note(result, matrices->size());
  part.data = {{"arm", arm},
               {"seed", run.seed},
               {"tokens", result.tokens},
               {"mechanism", mechanism_data(result.mechanism)},
               {"figures", lens_figures(result)},
               {"side", result.vocabulary},
               {"matrices", std::move(*matrices)},
               {"matrices_note", note},
               {"skipped", result.skipped}};
  for (const char* key : {"mechanism", "figures", "skipped"}) {
    part.figure_bytes += part.data[key].dump(-1, ' ', false, json::error_handler_t::replace).size();
  }
  return part;
}

/// The seeds whose parts fit together: the largest are dropped first, the smallest stays.
std::set<std::uint64_t> seeds_that_fit(const std::vector<LensPart>& parts,
                                       std::size_t LensPart::*bytes, std::size_t limit) {
  std::set<std::uint64_t> seeds;
  for (const LensPart& part : parts) seeds.insert(part.seed);
  const auto total = [&] {
    std::size_t sum = 0;
    for (const LensPart& part : parts) sum += seeds.contains(part.seed) ? part.*bytes : 0;
    return sum;
  };
  while (seeds.size() > 1 && total() > limit) seeds.erase(std::prev(seeds.end()));
  return seeds;
}

/// Keeps the parts of these seeds that fit, in order; returns the arms that then have none.
std::set<std::size_t> drop_parts(std::vector<LensPart>& parts, const std::set<std::uint64_t>& seeds,
                                 std::size_t limit) {
  std::set<std::size_t> missing;
  for (const LensPart& part : parts) missing.insert(part.arm);
  std::size_t bytes = 0;
  std::erase_if(parts, [&](const LensPart& part) {
    if (!seeds.contains(part.seed) || bytes + part.figure_bytes > limit) return true;
    bytes += part.figure_bytes;
    missing.erase(part.arm);
    return false;
  });
  return missing;
}

/// Removes the matrices from parts of other seeds, and from parts that then do not fit; returns how
/// many had any.
std::size_t thin_matrices(std::vector<LensPart>& parts, const std::set<std::uint64_t>& seeds,
                          std::size_t limit) {
  std::size_t taken = 0;
  std::size_t bytes = 0;
  for (LensPart& part : parts) {
    if (part.matrix_bytes == 0) continue;
    if (seeds.contains(part.seed) && bytes + part.matrix_bytes <= limit) {
      bytes += part.matrix_bytes;
      continue;
    }
    ++taken;
    part.data["matrices"] = json::array();
    part.data["matrices_note"] =
        "Left out to keep this page small; inspection.safetensors has them.";
  }
  return taken;
}

}  // namespace

Result<json> lens_data(const StudyReport& study, const LensLimits& limits,
                       std::vector<std::string>& notes) {
  std::vector<LensPart> parts;
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (const Run& run : study.arms[arm].runs) {
      if (!run.lens) continue;
      Result<LensPart> part = make_part(run, arm);
      if (!part) return part.error().at("arm '" + study.arms[arm].name + "'");
      parts.push_back(std::move(*part));
    }
  }
  const std::size_t all = parts.size();
  const std::set<std::size_t> missing = drop_parts(
      parts, seeds_that_fit(parts, &LensPart::figure_bytes, limits.figures), limits.figures);
  if (parts.size() < all) {
    std::string names;
    for (const std::size_t arm : missing) {
      names += (names.empty() ? ", all of arm '" : ", '") + study.arms[arm].name + "'";
    }
    notes.push_back("what the lens found in " + std::to_string(all - parts.size()) + " of " +
                    std::to_string(all) + " models was left out to keep this page small" + names);
  }
  const std::size_t without = thin_matrices(
      parts, seeds_that_fit(parts, &LensPart::matrix_bytes, limits.matrices), limits.matrices);
  if (without > 0) {
    notes.push_back("circuits as matrices of " + std::to_string(without) + " of " +
                    std::to_string(parts.size()) + " models were left out to keep this page small");
  }
  json data = json::array();
  for (LensPart& part : parts) data.push_back(std::move(part.data));
  return data;
}

}  // namespace lookback::report
