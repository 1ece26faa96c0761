#include "lookback/study/validation.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace lookback::study {
namespace {

nlohmann::json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

/// Sums up the losses [T-1] of a window's tokens [T].
WindowLoss sum_window(std::span<const float> losses, std::span<const data::Token> tokens,
                      std::span<const std::size_t> token_bytes) {
  WindowLoss sum;
  for (std::size_t t = 0; t < losses.size(); ++t) {
    sum.nats += losses[t];
    const data::Token predicted = tokens[t + 1];
    if (token_bytes.empty() || token_bytes[predicted] == 0) continue;
    sum.text_nats += losses[t];
    sum.text_bytes += token_bytes[predicted];
  }
  return sum;
}

class WindowSums final : public model::Observer {
 public:
  WindowSums(std::span<const std::vector<data::Token>> tokens,
             std::span<const std::size_t> token_bytes)
      : sums(tokens.size()), tokens_(tokens), token_bytes_(token_bytes) {}

  void output(std::size_t window, model::Output& output) override {
    sums[window] = sum_window(output.losses(), tokens_[window], token_bytes_);
  }

  std::vector<WindowLoss> sums;  ///< in the order of the windows, whoever ran them

 private:
  std::span<const std::vector<data::Token>> tokens_;
  std::span<const std::size_t> token_bytes_;
};

}  // namespace

Validation::Validation(const model::Program& program,
                       std::shared_ptr<const language::TokenFile> file, std::size_t length,
                       std::size_t windows, model::Engine& engine)
    : source_(std::move(file), length, windows),
      session_(engine.open(program, model::Keep::logits)) {}

nlohmann::json Validation::measure(std::span<const float> parameters) const {
  const std::vector<WindowLoss> all = *losses(parameters, {});  // without a way to stop
  double sum = 0;
  for (const WindowLoss& window : all) sum += window.nats;
  const std::uint64_t tokens = windows() * predictions();
  const double loss = sum / static_cast<double>(tokens);
  return {{"loss", finite_or_null(loss)},
          {"perplexity", finite_or_null(std::exp(loss))},
          {"tokens", tokens},
          {"windows", spread_windows}};
}

Result<std::vector<WindowLoss>> Validation::losses(std::span<const float> parameters,
                                                   const base::Control& control,
                                                   std::span<const std::size_t> token_bytes) const {
  std::vector<std::vector<data::Token>> tokens;
  std::vector<model::Job> jobs;
  for (std::size_t window = 0; window < windows(); ++window) {
    tokens.push_back(source_.sequence(window));
  }
  jobs.reserve(tokens.size());
  for (const auto& window : tokens) jobs.push_back({window, nullptr});
  WindowSums summed(tokens, token_bytes);
  Status ran = session_->forward(parameters, jobs, summed, control);
  if (!ran) return ran.error();
  return std::move(summed.sums);
}

}  // namespace lookback::study
