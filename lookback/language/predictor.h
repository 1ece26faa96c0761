// A model's predictions for windows of tokens: the only place where evaluation uses the engine.
//
// Legend: T positions, V tokens.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "lookback/base/control.h"
#include "lookback/data/token_source.h"
#include "lookback/model/engine.h"
#include "lookback/model/program.h"

namespace lookback::language {

/// Runs sequences of any length through one model, several at a time, those of like length together:
/// a sequence is filled up to a multiple of a fixed length, which a causal model does not see. An
/// answer does not depend on which others are asked for, nor on the number of engine.
/// Program, parameters and engine must outlive it. `control` hears of the sequences of one run().
class Predictor {
 public:
  Predictor(const model::Program& program, std::span<const float> parameters, model::Engine& engine,
            base::Control control = {})
      : program_(program), parameters_(parameters), engine_(engine), control_(std::move(control)) {}

  /// Sees the logits [T,V] of sequence `index`, from several threads.
  using See = std::function<void(std::size_t index, math::Matrix<const float> logits)>;

  /// Runs all of `sequences`. Errors, before anything is run: an empty sequence, one longer than
  /// the model's context, a token beyond its vocabulary; and base::stopped().
  Status run(std::span<const std::span<const data::Token>> sequences, const See& see) const;

 private:
  Status check(std::span<const data::Token> sequence) const;
  /// `done`: how many of `sequences` were run before.
  Status run_bucket(model::Session& session, std::size_t length,
                    std::span<const std::size_t> members,
                    std::span<const std::span<const data::Token>> sequences, const See& see,
                    std::size_t done) const;

  const model::Program& program_;
  std::span<const float> parameters_;
  model::Engine& engine_;
  base::Control control_;
};

}  // namespace lookback::language
