// One sequence at a time, for tests that try single edits.
#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "lookback/lens/model.h"
#include "lookback/model/cpu_engine.h"

namespace lookback::lens {

class Runner {
 public:
  Runner(const Model& model, std::size_t)
      : model_(model), session_(engine_.open(model.program, model::Keep::everything)) {}

  /// The losses [T-1]; they are valid until the next run.
  Result<std::span<const float>> run(std::span<const model::Token> tokens,
                                     const Edits& edits = {}) {
    Recording nothing;
    return record(tokens, {}, nothing, edits);
  }
  Result<std::span<const float>> record(std::span<const model::Token> tokens,
                                        std::span<const std::string> names, Recording& recording,
                                        const Edits& edits = {}) {
    const Plan plan{edits, {names.begin(), names.end()}};
    Seen seen(recording, *this);
    const model::Job job{tokens, &plan};
    if (Status ran = session_->forward(model_.parameters, {&job, 1}, seen); !ran) {
      return ran.error();
    }
    return std::span<const float>(losses_);
  }
  /// In nats, of the last run after position t.
  double log_probability(std::size_t t, model::Token token) const {
    const std::vector<float>& row = logits_[t];
    double sum = 0;
    for (const float logit : row) sum += std::exp(static_cast<double>(logit));
    return static_cast<double>(row[token]) - std::log(sum);
  }
  const Model& model() const { return model_; }

 private:
  class Seen final : public model::Observer {
   public:
    Seen(Recording& recording, Runner& runner) : recording_(recording), runner_(runner) {}
    void activation(std::size_t, const model::Place& place, math::Matrix<const float> x) override {
      recording_.put(place.name, place.head, x);
    }
    void output(std::size_t, model::Output& output) override {
      const auto losses = output.losses();
      runner_.losses_.assign(losses.begin(), losses.end());
      const auto logits = output.logits();
      runner_.logits_.clear();
      for (std::size_t t = 0; t < logits.rows; ++t) {
        runner_.logits_.emplace_back(logits.row(t), logits.row(t) + logits.cols);
      }
    }

   private:
    Recording& recording_;
    Runner& runner_;
  };

  model::CpuEngine engine_{1};
  Model model_;
  std::unique_ptr<model::Session> session_;
  std::vector<float> losses_;
  std::vector<std::vector<float>> logits_;
};

}  // namespace lookback::lens
