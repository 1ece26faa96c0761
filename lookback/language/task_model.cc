#include "lookback/language/task_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "lookback/language/predictor.h"
#include "lookback/language/probes.h"

namespace lookback::language {
namespace {

/// The answer from logits [T,V] after all of a window's tokens but the last.
Answer answer_to(const Window& window, math::Matrix<const float> logits) {
  Answer answer{0, true};
  for (std::size_t t = window.tokens.size() - window.scored; t < window.tokens.size(); ++t) {
    const TokenAnswer one =
        answer_of(std::span<const float>(logits.row(t - 1), logits.cols), window.tokens[t]);
    answer.log_probability += one.log_probability;
    answer.greedy = answer.greedy && one.is_first;
  }
  return answer;
}

/// The distinct windows, and for every window the distinct one that it equals.
struct Distinct {
  std::vector<std::size_t> first;
  std::vector<std::size_t> of;
};

Distinct distinct(std::span<const Window> windows) {
  std::map<std::pair<std::span<const data::Token>, std::size_t>, std::size_t,
           decltype([](const auto& a, const auto& b) {
             if (a.second != b.second) return a.second < b.second;
             return std::ranges::lexicographical_compare(a.first, b.first);
           })>
      seen;
  Distinct result;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto [place, fresh] =
        seen.emplace(std::pair(std::span<const data::Token>(windows[i].tokens), windows[i].scored),
                     result.first.size());
    if (fresh) result.first.push_back(i);
    result.of.push_back(place->second);
  }
  return result;
}

/// The last token of a window is only scored; the model does not read it.
Status check_last(const Window& window, std::size_t vocabulary) {
  if (window.tokens.back() < vocabulary) return {};
  return Error{fmt::format("found token {}, allowed: below {}, the model's vocabulary",
                           window.tokens.back(), vocabulary)};
}

}  // namespace

Model task_model(const model::Program& program, std::span<const float> parameters,
                 model::Engine& engine, const base::Control& control) {
  return [=, &program, &engine](std::span<const Window> windows) -> Result<std::vector<Answer>> {
    const Distinct different = distinct(windows);
    std::vector<std::span<const data::Token>> inputs;
    for (const std::size_t i : different.first) {
      const std::span<const data::Token> tokens = windows[i].tokens;
      Status known = check_last(windows[i], program.architecture.vocabulary);
      if (!known) return known.error();
      inputs.push_back(tokens.first(tokens.size() - 1));
    }
    std::vector<Answer> answers(inputs.size());
    Status run = Predictor(program, parameters, engine, control)
                     .run(inputs, [&](std::size_t i, math::Matrix<const float> logits) {
                       answers[i] = answer_to(windows[different.first[i]], logits);
                     });
    if (!run) return run.error();
    std::vector<Answer> all;
    all.reserve(windows.size());
    for (const std::size_t i : different.of) all.push_back(answers[i]);
    return all;
  };
}

}  // namespace lookback::language
