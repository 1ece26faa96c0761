#include "lookback/study/validation.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "lookback/model/executor.h"

namespace lookback::study {
namespace {

nlohmann::json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

/// Of the losses [T-1] of a window's tokens [T].
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

}  // namespace

Validation::Validation(const model::Program& program,
                       std::shared_ptr<const language::TokenFile> file, std::size_t length,
                       std::size_t windows, base::Workers& workers)
    : program_(program), source_(std::move(file), length, windows), workers_(workers) {}

nlohmann::json Validation::measure(std::span<const float> parameters) const {
  const std::vector<WindowLoss> all = *losses(parameters, {});  // which nobody stops
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
                                                   const base::GoOn& go_on,
                                                   std::span<const std::size_t> token_bytes) const {
  std::vector<std::unique_ptr<model::Executor<float>>> executors(workers_.count());
  std::vector<WindowLoss> sums(windows());  // in the order of the windows, whoever ran them
  const auto run = [&](std::size_t window, std::size_t worker) {
    auto& executor = executors[worker];
    if (!executor) {
      executor = std::make_unique<model::Executor<float>>(program_, 1, source_.length(),
                                                          model::Keep::logits);
    }
    const std::vector<data::Token> tokens = source_.sequence(window);
    executor->forward(parameters, tokens);
    sums[window] = sum_window(executor->losses(), tokens, token_bytes);
  };
  if (Status done = base::run_while(go_on, workers_, windows(), run); !done) return done.error();
  return sums;
}

}  // namespace lookback::study
