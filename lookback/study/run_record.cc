#include "lookback/study/run_record.h"

#include <iterator>
#include <utility>

#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/study/findings.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/one_run.h"

namespace lookback::study {
namespace {

constexpr std::size_t largest_record = std::size_t{1} << 28;

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
  if (!has_ended_as(config, run)) return std::optional<RunRecord>();
  RunRecord record;
  record.arm = config.arm;
  record.seed = config.seed;
  Result<nlohmann::json> findings = base::read_json_object(run / "findings.json", largest_record);
  if (!findings) return findings.error();
  record.findings = summary_of(*findings);
  Result<std::vector<nlohmann::json>> metrics = read_metrics(run / "metrics.jsonl", UINT64_MAX);
  if (!metrics) return metrics.error();
  record.metrics = std::move(*metrics);
  for (nlohmann::json& line : record.metrics) drop_lists(line);
  Result<nlohmann::json> inspection =
      base::read_json_object(run / "inspection.json", largest_record);
  if (inspection) record.inspection = shortened(*inspection);
  Result<nlohmann::json> evaluation =
      base::read_json_object(run / "evaluation.json", largest_record);
  if (evaluation) {
    const nlohmann::json* results = base::find_value(*evaluation, {"results"});
    if (results != nullptr) record.evaluation = {{"results", *results}};
  }
  return std::optional<RunRecord>(std::move(record));
}

}  // namespace lookback::study
