// From the recorded metrics of a study to the plain numbers that its figures show. Legend of
// shapes: T positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// One measure of one run against training tokens. `tokens` and `values` have one length.
struct Curve {
  std::string arm;  // of predictor_curves the predictor
  std::uint64_t seed = 0;
  std::vector<std::uint64_t> tokens;
  std::vector<double> values;
};

/// The least second-half loss there can be on an arm's main probe: its ideal predictor's.
struct IdealLoss {
  std::string arm;
  double loss = 0;  // nats
};

/// Where a run's induction score first crossed half its maximum (science.md, section 3).
struct Transition {
  std::string arm;
  std::uint64_t seed = 0;
  std::uint64_t tokens = 0;
};

/// The loss of each prediction of one run at one checkpoint.
struct PositionLosses {
  std::string arm;
  std::uint64_t seed = 0;
  std::size_t checkpoint = 0;  // index into the study's checkpoints
  std::vector<double> losses;  // [T - 1], nats; entry t is the prediction made at position t
};

/// The measures at the end of a run on one held-out probe (docs/science.md).
struct ProbeEnd {
  std::string arm;
  std::uint64_t seed = 0;
  std::string probe;
  std::optional<double> second_half_loss;  // nats
  std::optional<double> induction_score;   // of the best head
};

/// Two scores of one head at the same time.
struct HeadScores {
  std::optional<double> induction;
  std::optional<double> previous_token;
};

/// Scores of the heads of one run at one checkpoint. All have one length; NaN is not known.
struct CheckpointScores {
  std::string arm;
  std::uint64_t seed = 0;
  std::size_t checkpoint = 0;      // index into the study's checkpoints
  std::vector<std::string> heads;  // "0.1": layer and head
  std::vector<double> induction;
  std::vector<double> previous_token;
};

/// Per run, the induction score on the main probe: the largest of its heads' scores at each
/// recorded token count. Records without the score, and the record of the untrained model (a log
/// axis has no zero), are skipped.
std::vector<Curve> induction_score_curves(const StudyReport& study);

/// Per run, the second-half loss in nats on the main probe; left out as above.
std::vector<Curve> second_half_loss_curves(const StudyReport& study);

/// Per arm whose main probe has an ideal predictor, that one's loss, from its first run that tells.
std::vector<IdealLoss> ideal_losses(const StudyReport& study);

/// Per run of an arm and predictor of its main probe, the KL divergence of the predictor from the model
/// in nats; left out as above. `names` becomes the predictors in their order.
std::vector<Curve> predictor_curves(const Arm& arm, std::vector<std::string>& names);

/// Per run that learned from text, the validation loss in nats a token; left out as above.
std::vector<Curve> validation_loss_curves(const StudyReport& study);

/// Per run, its last record's measures on every probe.
std::vector<ProbeEnd> probe_ends(const StudyReport& study);

/// The transitions in the runs' summaries; runs without one give none, and nor do those whose score was
/// above half its maximum from the start.
std::vector<Transition> transitions(const StudyReport& study);

/// The induction score of uniform attention, averaged over the runs that recorded it.
std::optional<double> induction_chance(const StudyReport& study);

/// The token counts of the records that have losses by position, ascending and thinned out evenly
/// to at most `most`, the last one kept. 1 <= most.
std::vector<std::uint64_t> metric_checkpoints(const StudyReport& study, std::size_t most);

/// Per run and checkpoint, the loss by position of the record nearest in log tokens; a run that
/// ended before a checkpoint gives nothing there.
std::vector<PositionLosses> position_losses(const StudyReport& study,
                                            const std::vector<std::uint64_t>& checkpoints);

/// Per run and checkpoint, the scores of its heads on the main probe in the record nearest in log
/// tokens; a run that ended before a checkpoint gives nothing there.
std::vector<CheckpointScores> checkpoint_scores(const StudyReport& study,
                                                const std::vector<std::uint64_t>& checkpoints);

/// The scores of a head on the main probe in the record nearest to `tokens`.
HeadScores head_scores(const Run& run, std::uint64_t tokens, std::size_t layer, std::size_t head);

}  // namespace lookback::report
