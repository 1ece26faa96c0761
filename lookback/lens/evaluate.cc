#include "lookback/lens/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lookback/lens/similarity.h"

namespace lookback::lens {

namespace {

/// What is known of one sequence while it runs.
struct Measurement {
  Measurement(std::span<const data::Token> tokens, data::Structure known,
              const std::optional<data::Offsets>& habit, std::size_t heads)
      : structure(std::move(known)), queries(tokens, structure, habit) {
    if (heads <= max_similarity_heads) similarity.emplace(heads, tokens.size());
  }

  data::Structure structure;
  SequenceQueries queries;
  std::optional<HeadSimilarity> similarity;
  std::vector<HeadScores> scores;
};

/// Scores the patterns of every job as they come: layer by layer, step by step, head by head.
class Scorer final : public model::Observer {
 public:
  Scorer(const data::Task& probe, std::uint64_t first, std::size_t heads,
         std::span<const std::vector<data::Token>> sequences, const OutputListener& listener)
      : results(sequences.size()),
        probe_(probe),
        first_(first),
        heads_(heads),
        sequences_(sequences),
        compared_(in_context_positions(probe)),
        listener_(listener),
        running_(sequences.size()) {}

  void activation(std::size_t job, const model::Place&,
                  math::Matrix<const float> pattern) override {
    Measurement& measurement = of(job);
    measurement.scores.push_back(score_pattern(pattern, measurement.queries));
    if (measurement.similarity) measurement.similarity->add(pattern);
  }

  void output(std::size_t job, model::Output& output) override {
    Measurement& measurement = of(job);
    SequenceResult& result = results[job];
    const std::span<const float> losses = output.losses();
    result.losses.assign(losses.begin(), losses.end());
    result.weights = probe_.weights(first_ + job);
    result.loss_scores =
        score_losses(result.losses, measurement.structure, result.weights, compared_);
    result.repeated_queries = measurement.queries.repeated().size();
    result.heads = std::move(measurement.scores);
    result.occurrence = std::move(measurement.structure.occurrence);
    if (measurement.similarity) result.similarity = measurement.similarity->pairs();
    if (listener_) listener_(job, sequences_[job], output);
    running_[job].reset();
  }

  std::vector<SequenceResult> results;

 private:
  Measurement& of(std::size_t job) {
    if (!running_[job]) {
      running_[job] = std::make_unique<Measurement>(sequences_[job], probe_.structure(first_ + job),
                                                    probe_.profile().habit, heads_);
    }
    return *running_[job];
  }

  const data::Task& probe_;
  std::uint64_t first_;
  std::size_t heads_;
  std::span<const std::vector<data::Token>> sequences_;
  std::optional<InContextPositions> compared_;
  const OutputListener& listener_;
  std::vector<std::unique_ptr<Measurement>> running_;
};

/// Each job's plan: what was asked for, and every pattern to be seen as that leaves it.
Result<std::vector<Plan>> watched(const SequencePlans& plans, std::size_t layers,
                                  std::span<const std::vector<data::Token>> sequences) {
  std::vector<Plan> all(sequences.size());
  if (plans) {
    const Result<std::span<const Plan>> others = plans(sequences);
    if (!others) return others.error();
    std::ranges::copy(*others, all.begin());
  }
  for (Plan& plan : all) {
    plan.recorded.clear();
    for (std::size_t layer = 0; layer < layers; ++layer) {
      plan.recorded.push_back(pattern_name(layer));
    }
  }
  return all;
}

}  // namespace

Evaluator::Evaluator(const model::Program& program, model::Engine& engine)
    : program_(program), session_(engine.open(program, model::Keep::logits)) {}

Result<ProbeResult> Evaluator::evaluate(std::span<const float> parameters, const data::Task& probe,
                                        std::size_t sequences, std::uint64_t first,
                                        const SequencePlans& plans,
                                        const OutputListener& listener) {
  if (sequences == 0) return Error{"found 0 sequences to evaluate, allowed at least 1"};
  Status fits = model::check_inputs(program_, parameters, probe.length(), probe.vocabulary());
  if (!fits) return fits.error();
  const model::Architecture& a = program_.architecture;
  std::vector<std::vector<data::Token>> tokens;
  for (std::size_t i = 0; i < sequences; ++i) tokens.push_back(probe.sequence(first + i));
  const Result<std::vector<Plan>> all = watched(plans, a.layers, tokens);
  if (!all) return all.error();
  std::vector<model::Job> jobs;
  for (std::size_t i = 0; i < sequences; ++i) jobs.push_back({tokens[i], &(*all)[i]});
  Scorer scorer(probe, first, a.layers * a.heads_per_layer(), tokens, listener);
  if (Status ran = session_->forward(parameters, jobs, scorer); !ran) return ran.error();
  return summarize(std::move(scorer.results), a.heads_per_layer(), in_context_positions(probe));
}

Result<ProbeResult> evaluate(const model::Program& program, std::span<const float> parameters,
                             const data::Task& probe, std::size_t sequences,
                             model::Engine& engine) {
  return Evaluator(program, engine).evaluate(parameters, probe, sequences);
}

std::string pattern_name(std::size_t layer) {
  return fmt::format("blocks.{}.attn.hook_pattern", layer);
}

}  // namespace lookback::lens
