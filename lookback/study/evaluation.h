// One evaluation of a run: every probe, every measure, as a line of metrics.jsonl.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/workers.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/composition.h"
#include "lookback/lens/evaluate.h"
#include "lookback/model/program.h"
#include "lookback/study/run_config.h"
#include "lookback/train/trainer.h"

namespace lookback::study {

/// The probes of one run, ready to measure it again and again. Program and workers must outlive it.
class Evaluation {
 public:
  static Result<Evaluation> make(const RunConfig& config, const model::Program& program,
                                 base::Workers& workers);

  /// {"step", "tokens", "train_loss", "gradient_norm", "learning_rate", "probes": {name: ...},
  /// "composition": [...]}; loss and norm are null before the first step. A pure function of the
  /// configuration, the report and the parameters: no times in it. Errors: as Evaluator's.
  Result<nlohmann::json> measure(const train::StepReport& report,
                                 std::span<const float> parameters);

 private:
  Evaluation(const model::Program& program, base::Workers& workers, std::size_t sequences);

  const model::Program* program_;
  std::size_t sequences_;
  std::unique_ptr<lens::Evaluator> evaluator_;
  std::vector<std::unique_ptr<data::BlockSource>> probes_;
  lens::CompositionBaseline baseline_;
};

}  // namespace lookback::study
