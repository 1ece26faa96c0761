#include "lookback/lens/evaluate.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lookback/lens/similarity.h"
#include "lookback/model/executor.h"
#include "lookback/model/taps.h"

namespace lookback::lens {

/// What one worker measures sequences with.
class Evaluator::Bench {
 public:
  Bench(const model::Program& program, std::size_t length)
      : layers_(program.architecture.layers),
        executor_(program, 1, length, model::Keep::logits),
        plain_(program),
        watched_(program) {
    const std::size_t heads = program.architecture.layers * program.architecture.heads_per_layer();
    if (heads <= max_similarity_heads) similarity_.emplace(heads, length);
  }
  Bench(const Bench&) = delete;  // the hooks point here
  Bench& operator=(const Bench&) = delete;

  /// Sets the hooks that score patterns.
  Status connect() { return watch(plain_); }

  SequenceResult measure(std::span<const float> parameters, const data::BlockSource& probe,
                         std::uint64_t index, std::size_t worker, const SequenceTaps& taps) {
    SequenceResult result;
    result.structure = probe.structure(index);
    const std::vector<data::Token> tokens = probe.sequence(index);
    queries_.emplace(tokens, result.structure,
                     OffsetBand{probe.task().min_period, probe.task().max_period});
    scores_.clear();
    if (similarity_) similarity_->start();
    const model::Taps<float>* others = taps ? taps(worker, tokens) : nullptr;
    executor_.forward(parameters, tokens, others == nullptr ? &plain_ : watched(*others));
    const std::span<const float> losses = executor_.losses();
    result.losses.assign(losses.begin(), losses.end());
    result.loss_scores = score_losses(result.losses, result.structure, in_context_positions(probe));
    result.heads = scores_;
    result.repeated_queries = queries_->repeated().size();
    if (similarity_) result.similarity = similarity_->pairs();
    return result;
  }

 private:
  /// After the hooks that are there, so that a pattern is scored as they leave it.
  Status watch(model::Taps<float>& taps) {
    const auto hook = [this](const model::Tapped&, math::Matrix<float> pattern) { see(pattern); };
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      if (Status status = taps.on_forward(pattern_name(layer), hook); !status) return status;
    }
    return {};
  }

  const model::Taps<float>* watched(const model::Taps<float>& others) {
    watched_ = others;
    [[maybe_unused]] const Status status = watch(watched_);  // connect() found every name
    return &watched_;
  }

  /// Patterns come in the order of heads: layer by layer, step by step, head by head.
  void see(math::Matrix<const float> pattern) {
    scores_.push_back(score_pattern(pattern, *queries_));
    if (similarity_) similarity_->add(pattern);
  }

  std::size_t layers_;
  model::Executor<float> executor_;
  model::Taps<float> plain_;    ///< scores alone
  model::Taps<float> watched_;  ///< those of the caller, and scores
  std::optional<HeadSimilarity> similarity_;
  std::optional<SequenceQueries> queries_;  ///< of the sequence that is being run
  std::vector<HeadScores> scores_;
};

Evaluator::Evaluator(const model::Program& program, base::Workers& workers)
    : program_(program), workers_(workers) {}

Evaluator::~Evaluator() = default;

Status Evaluator::prepare(std::size_t length) {
  if (length == length_) return {};
  length_ = 0;
  benches_.clear();
  for (std::size_t worker = 0; worker < workers_.count(); ++worker) {
    benches_.push_back(std::make_unique<Bench>(program_, length));
    if (Status status = benches_.back()->connect(); !status) return status;
  }
  length_ = length;
  return {};
}

Result<ProbeResult> Evaluator::evaluate(std::span<const float> parameters,
                                        const data::BlockSource& probe, std::size_t sequences,
                                        std::uint64_t first, const SequenceTaps& taps) {
  if (sequences == 0) return Error{"found 0 sequences to evaluate, allowed at least 1"};
  if (Status status = check_inputs(program_, parameters, probe.length(), probe.vocabulary());
      !status) {
    return status.error();
  }
  if (Status status = prepare(probe.length()); !status) return status.error();
  std::vector<SequenceResult> results(sequences);
  workers_.run(sequences, [&](std::size_t index, std::size_t worker) {
    results[index] = benches_[worker]->measure(parameters, probe, first + index, worker, taps);
  });
  return summarize(std::move(results), program_.architecture.heads_per_layer(),
                   in_context_positions(probe));
}

Result<ProbeResult> evaluate(const model::Program& program, std::span<const float> parameters,
                             const data::BlockSource& probe, std::size_t sequences,
                             base::Workers& workers) {
  return Evaluator(program, workers).evaluate(parameters, probe, sequences);
}

Status check_inputs(const model::Program& program, std::span<const float> parameters,
                    std::size_t length, std::size_t vocabulary) {
  const model::Architecture& architecture = program.architecture;
  if (parameters.size() != program.buffer_size) {
    return Error{fmt::format("found a buffer of {} parameters, allowed {}, the model's",
                             parameters.size(), program.buffer_size)};
  }
  if (length < 2 || length > architecture.context) {
    return Error{fmt::format("found sequences of {} tokens, allowed 2 to {}, the model's context",
                             length, architecture.context)};
  }
  if (vocabulary > architecture.vocabulary) {
    return Error{fmt::format("found a vocabulary of {} tokens, allowed at most {}, the model's",
                             vocabulary, architecture.vocabulary)};
  }
  return {};
}

std::string pattern_name(std::size_t layer) {
  return fmt::format("blocks.{}.attn.hook_pattern", layer);
}

}  // namespace lookback::lens
