#include "lookback/study/run_record.h"

#include <iterator>
#include <utility>

#include "lookback/base/json_access.h"
#include "lookback/study/findings.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

/// Lists as long as a sequence, which no claim speaks of: a study's records lie in memory together.
void drop_lists(nlohmann::json& line) {
  for (const char* measured : {"probes", "unclamped"}) {
    const auto probes = line.find(measured);
    if (probes == line.end() || !probes->is_object()) continue;
    for (nlohmann::json& probe : *probes) {
      if (!probe.is_object()) continue;
      probe.erase("loss_by_position");
      probe.erase("loss_by_occurrence");
    }
  }
}

/// Eigenvalues, singular values, entries and notes of a circuit.
void drop_arrays(nlohmann::json& circuit) {
  if (!circuit.is_object()) return;
  for (auto field = circuit.begin(); field != circuit.end();) {
    field = field->is_array() ? circuit.erase(field) : std::next(field);
  }
}

/// The parts that claims speak of.
nlohmann::json shortened(const nlohmann::json& inspection) {
  nlohmann::json kept = nlohmann::json::object();
  for (const char* key : {"mechanism", "ablation", "composition"}) {
    const auto part = inspection.find(key);
    if (part != inspection.end()) kept[key] = *part;
  }
  for (const char* list : {"direct", "composed"}) {
    nlohmann::json& circuits = kept["circuits"][list] =
        base::find_array(inspection, {"circuits", list});
    for (nlohmann::json& circuit : circuits) drop_arrays(circuit);
  }
  return kept;
}

}  // namespace

Result<std::optional<RunRecord>> read_run_record(const std::filesystem::path& run,
                                                 const RunConfig& config) {
  const Result<bool> ended = has_ended_as(config, run);
  if (!ended) return ended.error();
  if (!*ended) return std::optional<RunRecord>();
  const Result<std::optional<Manifest>> manifest = read_manifest(run);
  if (!manifest) return manifest.error();
  const auto read = [&](const char* name) { return read_listed_object(run, **manifest, name); };
  RunRecord record;
  record.arm = config.arm;
  record.seed = config.seed;
  record.instruction_sets = instruction_sets_of(**manifest);
  const Result<nlohmann::json> findings = read("findings.json");
  if (!findings) return findings.error();
  record.findings = summary_of(*findings);
  if (Status whole = check_listed(run, **manifest, "metrics.jsonl"); !whole) return whole.error();
  Result<std::vector<nlohmann::json>> metrics =
      read_metrics(run / "metrics.jsonl", identity_of(config));
  if (!metrics) return metrics.error();
  record.metrics = std::move(*metrics);
  for (nlohmann::json& line : record.metrics) drop_lists(line);
  if ((*manifest)->lists("inspection.json")) {
    const Result<nlohmann::json> inspection = read("inspection.json");
    if (!inspection) return inspection.error();
    record.inspection = shortened(*inspection);
  }
  if ((*manifest)->lists("evaluation.json")) {
    const Result<nlohmann::json> evaluation = read("evaluation.json");
    if (!evaluation) return evaluation.error();
    const nlohmann::json* results = base::find_value(*evaluation, {"results"});
    if (results != nullptr) record.evaluation = {{"results", *results}};
  }
  return std::optional<RunRecord>(std::move(record));
}

}  // namespace lookback::study
