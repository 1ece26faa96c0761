// One evaluation of a run: every probe, every measure, as a line of metrics.jsonl.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/task.h"
#include "lookback/lens/composition.h"
#include "lookback/lens/evaluate.h"
#include "lookback/lens/predictor_scores.h"
#include "lookback/model/engine.h"
#include "lookback/model/program.h"
#include "lookback/study/run_config.h"
#include "lookback/study/training_data.h"
#include "lookback/study/validation.h"
#include "lookback/train/clamp_plans.h"
#include "lookback/train/trainer.h"

namespace lookback::study {

/// The probes of one run and its validation text, ready to measure it repeatedly. Program, clamps
/// and engine must outlive it.
class Evaluation {
 public:
  static Result<Evaluation> make(const RunConfig& config, const TrainingData& data,
                                 const model::Program& program, train::ClampPlans& clamps,
                                 model::Engine& engine);

  /// {"step", "tokens", "train_loss", "gradient_norm", "learning_rate", "main_probe", "probes": {name: ...},
  /// "composition": [...]} (empty with more than lens::max_similarity_heads heads), and of a run that learns from text "validation" (validation.h); loss and norm are null before the first step. A pure function of the
  /// configuration, the report and the parameters: no times in it. Errors: as Evaluator's.
  ///
  /// The model is measured as it trains: "probes" with the clamps of the step just made (at step 0,
  /// of the first), where a head whose pattern they set has "pinned": true. If any clamp was in
  /// force, "unclamped" has the same measures of the model without clamps.
  Result<nlohmann::json> measure(const train::StepReport& report,
                                 std::span<const float> parameters);

 private:
  Evaluation(const RunConfig& config, const model::Program& program, train::ClampPlans& clamps,
             model::Engine& engine);
  Result<nlohmann::json> measure_probe(std::size_t i, std::span<const float> parameters,
                                       const lens::SequencePlans& plans);
  Result<nlohmann::json> measure_probes(std::span<const float> parameters,
                                        const lens::SequencePlans& plans);
  void mark_pinned(std::uint64_t tokens_seen, nlohmann::json& probes) const;

  const model::Program* program_;
  train::ClampPlans* clamps_;
  std::string main_probe_;
  std::size_t sequences_;
  std::uint64_t tokens_a_step_;
  std::unique_ptr<lens::Evaluator> evaluator_;
  std::vector<std::unique_ptr<data::Task>> probes_;
  std::vector<lens::PredictorReference> predictors_;  // by probe
  std::optional<Validation> validation_;
  std::optional<lens::CompositionBaseline> baseline_;
};

}  // namespace lookback::study
