#include "lookback/study/evaluation.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "lookback/lens/to_json.h"

namespace lookback::study {
namespace {

nlohmann::json number_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

/// None for a model with so many heads that their pairs would take longer than everything else.
std::optional<lens::CompositionBaseline> baseline_of(const model::Architecture& architecture) {
  const std::size_t heads = architecture.layers * architecture.heads_per_layer();
  if (heads > lens::max_similarity_heads) return std::nullopt;
  return lens::composition_baseline(architecture);
}

}  // namespace

Evaluation::Evaluation(const RunConfig& config, const model::Program& program,
                       train::ClampPlans& clamps, model::Engine& engine)
    : program_(&program),
      clamps_(&clamps),
      main_probe_(config.data.main_probe()),
      sequences_(config.evaluate.sequences),
      tokens_a_step_(config.train.batch * config.data.length),
      evaluator_(std::make_unique<lens::Evaluator>(program, engine)),
      baseline_(baseline_of(program.architecture)) {}

Result<Evaluation> Evaluation::make(const RunConfig& config, const TrainingData& data,
                                    const model::Program& program, train::ClampPlans& clamps,
                                    model::Engine& engine) {
  Evaluation evaluation(config, program, clamps, engine);
  for (const std::string& name : config.evaluate.probes) {
    Result<std::unique_ptr<data::Task>> probe = probe_task(config, name);
    if (!probe) return probe.error();
    evaluation.predictors_.emplace_back(**probe, config.evaluate.sequences);
    evaluation.probes_.push_back(std::move(*probe));
  }
  if (data.text) {
    evaluation.validation_.emplace(program, data.text->validation, config.data.length,
                                   config.evaluate.windows, engine);
  }
  return evaluation;
}

Result<nlohmann::json> Evaluation::measure_probe(std::size_t i, std::span<const float> parameters,
                                                 const lens::SequencePlans& plans) {
  const lens::PredictorReference& predictors = predictors_[i];
  std::vector<std::vector<double>> divergences(sequences_);
  const auto hold = [&](std::size_t sequence, std::span<const data::Token> tokens,
                        model::Output& output) {
    divergences[sequence] =
        predictors.divergences(sequence, tokens, output.losses(), output.logits());
  };
  lens::OutputListener listener;
  if (!predictors.empty()) listener = hold;
  const Result<lens::ProbeResult> result =
      evaluator_->evaluate(parameters, *probes_[i], sequences_, 0, plans, listener);
  if (!result) return result.error();
  nlohmann::json measured = lens::probe_json(*result);
  if (listener) measured["predictors"] = lens::predictors_json(predictors.scores(divergences));
  return measured;
}

Result<nlohmann::json> Evaluation::measure_probes(std::span<const float> parameters,
                                                  const lens::SequencePlans& plans) {
  nlohmann::json probes;
  for (std::size_t i = 0; i < probes_.size(); ++i) {
    Result<nlohmann::json> measured = measure_probe(i, parameters, plans);
    if (!measured) return measured.error();
    probes[probes_[i]->profile().name] = std::move(*measured);
  }
  return probes;
}

void Evaluation::mark_pinned(std::uint64_t tokens_seen, nlohmann::json& probes) const {
  for (nlohmann::json& probe : probes) {
    for (nlohmann::json& head : probe["heads"]) {
      for (const train::Clamp& clamp : clamps_->clamps()) {
        const bool pinned = clamp.in_force(tokens_seen) &&
                            train::sets_pattern(clamp, head["layer"].get<std::size_t>(),
                                                head["head"].get<std::size_t>());
        if (pinned) head["pinned"] = true;
      }
    }
  }
}

Result<nlohmann::json> Evaluation::measure(const train::StepReport& report,
                                           std::span<const float> parameters) {
  nlohmann::json line = {{"step", report.step},
                         {"tokens", report.tokens},
                         {"train_loss", number_or_null(report.loss)},
                         {"gradient_norm", number_or_null(report.gradient_norm)},
                         {"learning_rate", report.learning_rate},
                         {"main_probe", main_probe_}};
  Result<nlohmann::json> alone = measure_probes(parameters, {});
  if (!alone) return alone.error();
  const std::uint64_t seen = report.step == 0 ? 0 : report.tokens - tokens_a_step_;
  if (clamps_->any_in_force(seen)) {
    Result<nlohmann::json> clamped =
        measure_probes(parameters, [&](std::span<const std::vector<data::Token>> sequences) {
          return clamps_->prepare(seen, sequences);
        });
    if (!clamped) return clamped.error();
    mark_pinned(seen, *clamped);
    line["probes"] = std::move(*clamped);
    line["unclamped"] = std::move(*alone);
  } else {
    line["probes"] = std::move(*alone);
  }
  if (validation_) line["validation"] = validation_->measure(parameters);
  line["composition"] = nlohmann::json::array();
  if (!baseline_) return line;
  const Result<lens::Composition> composed = lens::composition(*program_, parameters, *baseline_);
  if (!composed) return composed.error();
  line["composition"] = lens::composition_json(*composed);
  return line;
}

}  // namespace lookback::study
