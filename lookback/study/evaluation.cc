#include "lookback/study/evaluation.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lookback/lens/to_json.h"

namespace lookback::study {
namespace {

nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

}  // namespace

Evaluation::Evaluation(const model::Program& program, base::Workers& workers, std::size_t sequences)
    : program_(&program),
      sequences_(sequences),
      evaluator_(std::make_unique<lens::Evaluator>(program, workers)),
      baseline_(lens::composition_baseline(program.architecture)) {}

Result<Evaluation> Evaluation::make(const RunConfig& config, const model::Program& program,
                                    base::Workers& workers) {
  Evaluation evaluation(program, workers, config.evaluate.sequences);
  for (const data::BlockKind kind : config.evaluate.probes) {
    Result<std::unique_ptr<data::BlockSource>> probe = probe_source(config, kind);
    if (!probe) return probe.error();
    evaluation.probes_.push_back(std::move(*probe));
  }
  return evaluation;
}

Result<nlohmann::json> Evaluation::measure(const train::StepReport& report,
                                           std::span<const float> parameters) {
  nlohmann::json line = {{"step", report.step},
                         {"tokens", report.tokens},
                         {"train_loss", number_or_null(report.loss)},
                         {"gradient_norm", number_or_null(report.gradient_norm)},
                         {"learning_rate", report.learning_rate}};
  for (const auto& probe : probes_) {
    const Result<lens::ProbeResult> result = evaluator_->evaluate(parameters, *probe, sequences_);
    if (!result) return result.error();
    line["probes"][data::name_of(probe->task().kind)] = lens::probe_json(*result);
  }
  const Result<lens::Composition> composed = lens::composition(*program_, parameters, baseline_);
  if (!composed) return composed.error();
  line["composition"] = lens::composition_json(*composed);
  return line;
}

}  // namespace lookback::study
