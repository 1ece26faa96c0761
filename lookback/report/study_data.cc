#include "lookback/report/study_data.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "lookback/data/task.h"
#include "lookback/report/figure_arms.h"
#include "lookback/report/figures.h"
#include "lookback/report/head_scores_figure.h"
#include "lookback/report/json_access.h"
#include "lookback/report/series.h"
#include "lookback/report/sweep_figures.h"

namespace lookback::report {
namespace {

using nlohmann::json;

/// Stops of the slider in a study without checkpoints.
constexpr std::size_t most_metric_checkpoints = 48;
/// Losses by position in one figure: about a megabyte.
constexpr std::size_t most_position_losses = 150'000;

json figure(std::string_view id, std::string_view title, std::string_view caption, json variants) {
  return {{"id", std::string(id)},
          {"title", std::string(title)},
          {"caption", std::string(caption)},
          {"variants", std::move(variants)}};
}

json variant(std::string_view id, std::string_view label, json spec) {
  return {{"id", std::string(id)}, {"label", std::string(label)}, {"spec", std::move(spec)}};
}

/// The token counts of the checkpoints that the page shows, or, without any, of the metrics.
std::vector<std::uint64_t> checkpoints_of(const StudyReport& study) {
  std::set<std::uint64_t> tokens;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      for (const auto& checkpoint : run.checkpoints) tokens.insert(checkpoint->tokens);
    }
  }
  if (tokens.empty()) return metric_checkpoints(study, most_metric_checkpoints);
  return {tokens.begin(), tokens.end()};
}

json arms_data(const StudyReport& study) {
  json arms = json::array();
  const FigureArms shown(study);
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    const Arm& arm = study.arms[i];
    json runs = json::array();
    for (const Run& run : arm.runs) {
      runs.push_back({{"seed", run.seed},
                      {"summary", run.summary.is_object() ? run.summary : json::object()}});
    }
    arms.push_back({{"name", arm.name},
                    {"color", shown.color(i)},
                    {"parameters", arm.parameters},
                    {"configuration", arm.configuration},
                    {"runs", std::move(runs)}});
  }
  return arms;
}

/// "on 64 held-out sequences": the number for each probe at an evaluation.
std::string on_sequences(const StudyReport& study) {
  std::size_t fewest = 0;
  std::size_t most = 0;
  for (const Arm& arm : study.arms) {
    if (arm.sequences == 0) continue;
    fewest = fewest == 0 ? arm.sequences : std::min(fewest, arm.sequences);
    most = std::max(most, arm.sequences);
  }
  if (most == 0) return "on held-out sequences";
  const std::string count = fewest == most ? std::to_string(most)
                                           : std::to_string(fewest) + " to " + std::to_string(most);
  return "on " + count + " held-out sequences";
}

/// Keeps the smallest seeds whose losses fit; returns whether others were dropped.
bool thin_seeds(std::vector<PositionLosses>& losses) {
  std::set<std::uint64_t> seeds;
  for (const PositionLosses& one : losses) seeds.insert(one.seed);
  const auto count = [&] {
    std::size_t numbers = 0;
    for (const PositionLosses& one : losses) numbers += one.losses.size();
    return numbers;
  };
  bool thinned = false;
  while (seeds.size() > 1 && count() > most_position_losses) {
    const std::uint64_t largest = *seeds.rbegin();
    std::erase_if(losses, [&](const PositionLosses& one) { return one.seed == largest; });
    seeds.erase(std::prev(seeds.end()));
    thinned = true;
  }
  return thinned;
}

/// "repeated-blocks": the probes that the runs are judged by, each by its own.
std::string main_probes(const StudyReport& study) {
  std::set<std::string> names;
  for (const Arm& arm : study.arms) {
    for (const Run& run : arm.runs) {
      if (!run.metrics.empty()) names.insert(find_text(run.metrics.front(), {"main_probe"}));
    }
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text;
}

json induction_figure(const StudyReport& study, const FigureArms& arms,
                      const std::vector<Transition>& marks) {
  return figure(
      "induction-score", "Induction score",
      "Attention mass that queries in the repeated part of a sequence place on the sources whose "
      "previous token equals the query's token, in the head where it is largest; the mean over "
      "queries, then over sequences, measured " +
          on_sequences(study) + " of the probe " + main_probes(study) +
          " at evaluations spaced evenly in log tokens. A line is a "
          "run: how far the lines of one arm lie apart is the spread over seeds, and no interval "
          "is drawn within a run. Dotted rules mark where a run first crossed half of its maximum, "
          "with the number of the arm's median run where there are few arms; the dashed level is "
          "the score of uniform "
          "attention on the same sequences.",
      json::array({variant("induction-score", "",
                           induction_score_figure(arms, induction_score_curves(study), marks,
                                                  induction_chance(study)))}));
}

json loss_figure(const StudyReport& study, const FigureArms& arms,
                 const std::vector<Transition>& marks) {
  const std::vector<Curve> losses = second_half_loss_curves(study);
  const std::vector<IdealLoss> ideals = ideal_losses(study);
  return figure(
      "second-half-loss", "Second-half loss",
      "Mean negative log-likelihood, in nats a token, of the predictions made in the second half "
      "of "
      "a sequence, where in repeated blocks nearly every token can be copied from an earlier copy; "
      "measured " +
          on_sequences(study) + " of the probe " + main_probes(study) +
          ". A line is a run, without an interval; dotted rules as in "
          "the figure before. A dashed level is the loss of the task's ideal predictor on the same "
          "sequences, where one is known.",
      json::array(
          {variant("second-half-loss", "linear",
                   second_half_loss_figure(arms, losses, marks, LossAxis::linear, ideals)),
           variant("second-half-loss-log", "logarithmic",
                   second_half_loss_figure(arms, losses, marks, LossAxis::logarithmic, ideals))}));
}

/// An arm's lines, and the names of its predictors.
struct PredictorLines {
  std::string arm;
  std::vector<std::string> names;
  std::vector<Curve> curves;
};

/// Where a task has predictors to compare: one alone is drawn as the ideal loss.
std::optional<json> predictor_figure(const StudyReport& study) {
  std::vector<PredictorLines> lines;
  double largest = 0;
  for (const Arm& arm : study.arms) {
    PredictorLines one{arm.name, {}, {}};
    one.curves = predictor_curves(arm, one.names);
    if (one.names.size() < 2) continue;
    for (const Curve& curve : one.curves) {
      for (const double value : curve.values) largest = std::max(largest, value);
    }
    lines.push_back(std::move(one));
  }
  if (lines.empty()) return std::nullopt;
  json variants = json::array();
  for (const PredictorLines& one : lines) {
    variants.push_back(variant("predictors-" + one.arm, one.arm,
                               predictors_figure(one.names, one.curves, largest)));
  }
  return figure(
      "predictors", "KL to Bayes predictors",
      "How far the model's predictions are from those of predictors that were not trained: "
      "the Kullback-Leibler divergence of each predictor from the model, in nats, the mean "
      "over predictions and then over sequences, measured " +
          on_sequences(study) + " of the probe " + main_probes(study) +
          ". A line is a run, a dash a predictor; the lowest is "
          "the one that the model is nearest to, and where two cross it passes from one to "
          "the other.",
      std::move(variants));
}

/// Of a study that learns from text; else nothing.
std::optional<json> validation_figure(const StudyReport& study, const FigureArms& arms,
                                      const std::vector<Transition>& marks) {
  const std::vector<Curve> losses = validation_loss_curves(study);
  if (losses.empty()) return std::nullopt;
  return figure(
      "validation-loss", "Validation loss",
      "Mean negative log-likelihood, in nats a token, of text that the run has not learned from, "
      "each "
      "token predicted from those before it in its window; its exponential is the perplexity. A "
      "line "
      "is a run, without an interval; dotted rules mark where the induction score crossed half of "
      "its "
      "maximum.",
      json::array({variant("validation-loss", "", validation_loss_figure(arms, losses, marks))}));
}

json head_figure(const StudyReport& study, const FigureArms& arms,
                 const std::vector<std::uint64_t>& checkpoints) {
  bool cut = false;
  json spec = head_scores_figure(arms, checkpoints, checkpoint_scores(study, checkpoints), cut);
  std::string caption =
      "What each head does at the checkpoint chosen above. Filled: its induction score, as in the "
      "first figure. Pale: its previous-token score, the attention mass that queries in the first "
      "copy of the block place on the position just before. Both are means over queries, then over "
      "sequences, measured " +
      on_sequences(study) + " of the probe " + main_probes(study) +
      " at the evaluation nearest in log tokens. Bars are means over "
      "seeds, dots the single seeds; no interval is drawn. A head is named by its layer and its "
      "number there.";
  if (cut) {
    caption += " Of an arm with many heads the " + std::to_string(most_scored_heads) +
               " with the largest scores are shown.";
  }
  return figure("head-scores", "What every head does", caption,
                json::array({variant("head-scores", "", std::move(spec))}));
}

/// "repeated-blocks (copies of a random block without gaps), ..."
std::string meanings_of(const std::vector<ProbeEnd>& ends) {
  std::string text;
  for (const data::TaskKind& kind : data::task_kinds()) {
    if (std::ranges::find(ends, kind.name, &ProbeEnd::probe) == ends.end()) continue;
    text += (text.empty() ? "" : ", ") + kind.name + " (" + kind.meaning + ")";
  }
  return text;
}

json probe_figure(const StudyReport& study, const FigureArms& arms) {
  const std::vector<ProbeEnd> ends = probe_ends(study);
  return figure("probes", "Held-out probes",
                "The same measures at a run's last evaluation, a dot a run and no interval, " +
                    on_sequences(study) + " of each probe: " + meanings_of(ends) + ".",
                json::array({variant("probes-loss", "loss",
                                     probes_figure(arms, ends, ProbeMeasure::second_half_loss)),
                             variant("probes-score", "induction score",
                                     probes_figure(arms, ends, ProbeMeasure::induction_score))}));
}

json position_figure(const StudyReport& study, const FigureArms& arms,
                     const std::vector<std::uint64_t>& checkpoints) {
  std::vector<PositionLosses> losses = position_losses(study, checkpoints);
  const bool thinned = thin_seeds(losses);
  std::string caption =
      "Mean loss, in nats, of the prediction made at each position, measured " +
      on_sequences(study) + " of the probe " + main_probes(study) +
      " at the evaluation nearest in log tokens to the checkpoint "
      "chosen above. A line is a run, without an interval. In repeated blocks the first copy "
      "cannot "
      "be predicted; a model that looks back predicts every later one.";
  if (thinned) caption += " The largest seeds were left out to keep this page small.";
  return figure("loss-by-position", "Loss by position", caption,
                json::array({variant("loss-by-position", "",
                                     loss_by_position_figure(arms, checkpoints, losses))}));
}

bool has_run_to_its_end(std::string_view status) {
  return status == "finished" || status == "diverged";
}

}  // namespace

json study_figures(const StudyReport& study, const std::vector<std::uint64_t>& checkpoints) {
  const FigureArms arms(study);
  const std::vector<Transition> marks = transitions(study);
  json figures = sweep_figures(study);
  figures.push_back(induction_figure(study, arms, marks));
  // The first two stand on the first screen: of a language model its own loss.
  if (auto validation = validation_figure(study, arms, marks)) {
    figures.push_back(std::move(*validation));
  }
  figures.push_back(loss_figure(study, arms, marks));
  if (auto predictors = predictor_figure(study)) figures.push_back(std::move(*predictors));
  figures.push_back(head_figure(study, arms, checkpoints));
  figures.push_back(probe_figure(study, arms));
  figures.push_back(position_figure(study, arms, checkpoints));
  return figures;
}

json progress_data(const StudyReport& study) {
  json runs = json::array();
  std::uint64_t done = 0;
  std::uint64_t all = 0;
  bool ended = true;
  for (std::size_t arm = 0; arm < study.arms.size(); ++arm) {
    for (const Run& run : study.arms[arm].runs) {
      const std::string status = find_text(run.summary, {"status"});
      const std::uint64_t tokens = find_count(run.summary, {"tokens"}).value_or(0);
      const std::uint64_t of = std::max(run.planned_tokens, tokens);
      const std::optional<double> rate = find_number(run.summary, {"tokens_per_second"});
      done += tokens;
      all += status == "diverged" ? tokens : of;
      ended = ended && has_run_to_its_end(status);
      runs.push_back({{"arm", arm},
                      {"seed", run.seed},
                      {"tokens", tokens},
                      {"of", of},
                      {"status", status},
                      {"tokens_per_second", rate ? json(*rate) : json(nullptr)}});
    }
  }
  if (ended) return nullptr;
  return {{"tokens_done", done}, {"tokens_all", all}, {"runs", std::move(runs)}};
}

json study_data(const StudyReport& study, const std::vector<std::string>& notes) {
  const std::vector<std::uint64_t> checkpoints = checkpoints_of(study);
  return {{"name", study.name},
          {"question", study.question},
          {"description", study.description},
          {"tokens", study.tokens},
          {"threads", study.threads},
          {"notes", notes},
          {"arms", arms_data(study)},
          {"legend", FigureArms(study).legend()},
          {"figures", study_figures(study, checkpoints)},
          {"checkpoints", checkpoints},
          {"sequence", {{"tokens", study.sequence.tokens}, {"period", study.sequence.period}}},
          {"ledger", study.ledger},
          {"progress", progress_data(study)}};
}

}  // namespace lookback::report
