#include "lookback/study/validation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>
#include <vector>

#include "lookback/model/executor.h"

namespace lookback::study {

Validation::Validation(const model::Program& program,
                       std::shared_ptr<const language::TokenFile> file, std::size_t length,
                       std::size_t windows, base::Workers& workers)
    : program_(program),
      source_(std::move(file), length),
      windows_(std::min<std::uint64_t>(windows, source_.windows())),
      workers_(workers) {}

nlohmann::json Validation::measure(std::span<const float> parameters) const {
  const std::vector<double> sums = *losses(parameters, {});  // that nobody stops
  const std::uint64_t tokens = windows_ * predictions();
  const double loss = std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(tokens);
  return {{"loss", loss}, {"perplexity", std::exp(loss)}, {"tokens", tokens}};
}

Result<std::vector<double>> Validation::losses(std::span<const float> parameters,
                                               const base::GoOn& go_on) const {
  std::vector<std::unique_ptr<model::Executor<float>>> executors(workers_.count());
  std::vector<double> sums(windows_);  // in the order of the windows, whoever ran them
  const auto run = [&](std::size_t window, std::size_t worker) {
    auto& executor = executors[worker];
    if (!executor) {
      executor = std::make_unique<model::Executor<float>>(program_, 1, source_.length(),
                                                          model::Keep::logits);
    }
    const std::vector<data::Token> tokens = source_.sequence(window);
    executor->forward(parameters, tokens);
    const std::span<const float> losses = executor->losses();
    sums[window] = std::accumulate(losses.begin(), losses.end(), 0.0);
  };
  if (Status done = base::run_while(go_on, workers_, windows_, run); !done) return done.error();
  return sums;
}

}  // namespace lookback::study
