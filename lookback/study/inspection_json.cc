#include "lookback/study/inspection_json.h"

#include <fmt/format.h>

#include <string>

#include "lookback/lens/ablation_json.h"
#include "lookback/lens/circuits_json.h"
#include "lookback/lens/json_parts.h"
#include "lookback/lens/mechanism_json.h"
#include "lookback/lens/patching_json.h"
#include "lookback/lens/to_json.h"

namespace lookback::study {
namespace {

using nlohmann::json;

json head_json(const lens::HeadSummary& head) {
  json object = lens::place_json(head.place);
  for (const lens::HeadMeasure& measure : lens::head_measures()) {
    object[std::string(measure.name)] = lens::estimate_json(head.estimate_of(measure));
  }
  return object;
}

json probe_json(const ProbeInspection& probe) {
  json object = lens::probe_json(probe.result);
  object["periods"] = probe.description;
  object["sequences"] = probe.result.sequences.size();
  for (const lens::LossMeasure& measure : lens::loss_measures()) {
    object.erase(measure.name);
    object["losses"][measure.name] = lens::estimate_json(probe.result.estimate_of(measure));
  }
  for (const lens::HeadMeasure& measure : lens::head_measures()) {
    object["chance"][std::string(measure.name)] = lens::rounded(probe.chance.*measure.value);
  }
  object["heads"] = json::array();
  for (const lens::HeadSummary& head : probe.result.heads) {
    object["heads"].push_back(head_json(head));
  }
  return object;
}

}  // namespace

json inspection_json(const SavedModel& model, const Inspection& inspection) {
  json object = {{"format", inspection_format},
                 {"arm", model.config.arm},
                 {"seed", model.header.seed},
                 {"step", model.header.step},
                 {"tokens", model.header.tokens},
                 {"parameters", model.program.parameter_count()},
                 {"config", model.header.config},
                 {"probes", json::object()},
                 {"composition", lens::composition_json(inspection.composition)},
                 {"circuits", lens::circuits_json(inspection.circuits)},
                 {"ablation", lens::ablation_json(inspection.ablations)},
                 {"patching", json::array()},
                 {"mechanism", lens::mechanism_json(inspection.mechanism)},
                 {"transitions", inspection.transitions},
                 {"skipped", inspection.skipped}};
  for (const char* of_interventions : {"ablation", "mechanism"}) {
    object[of_interventions]["probe"] = inspection.intervened_on;
  }
  for (const ProbeInspection& probe : inspection.probes) {
    object["probes"][probe.name] = probe_json(probe);
  }
  for (const lens::Patching& patching : inspection.patchings) {
    object["patching"].push_back(lens::patching_json(patching));
  }
  return object;
}

}  // namespace lookback::study
