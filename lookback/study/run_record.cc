#include "lookback/study/run_record.h"

#include <iterator>
#include <utility>

#include "lookback/base/json_access.h"
#include "lookback/study/findings.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {
namespace {

/// Lists as long as a sequence, which no claim uses; a study's records are all in memory at once.
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

/// The parts that claims use.
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

Result<std::optional<RunRecord>> read_run_record(const std::filesystem::path& directory,
                                                 const RunConfig& config) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  const Result<bool> ended = run->has_ended_as(config);
  if (!ended) return ended.error();
  if (!*ended) return std::optional<RunRecord>();
  RunRecord record;
  record.arm = config.arm;
  record.seed = config.seed;
  record.engines = engines_of(run->manifest());
  const Result<nlohmann::json> findings = run->read("findings.json");
  if (!findings) return findings.error();
  record.findings = summary_of(*findings);
  Result<std::vector<nlohmann::json>> metrics = run->read_metrics(config);
  if (!metrics) return metrics.error();
  record.metrics = std::move(*metrics);
  for (nlohmann::json& line : record.metrics) drop_lists(line);
  const Result<nlohmann::json> inspection = run->read("inspection.json");
  if (!inspection) return inspection.error();
  if (inspection->is_object()) record.inspection = shortened(*inspection);
  const Result<nlohmann::json> evaluation = run->read("evaluation.json");
  if (!evaluation) return evaluation.error();
  const nlohmann::json* results = base::find_value(*evaluation, {"results"});
  if (results != nullptr) record.evaluation = {{"results", *results}};
  return std::optional<RunRecord>(std::move(record));
}

}  // namespace lookback::study
