#include "lookback/study/text_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "lookback/language/predictor.h"
#include "lookback/language/probes.h"
#include "lookback/language/token_windows.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/evaluate.h"
#include "lookback/study/validation.h"
#include "lookback/study/value_content.h"

namespace lookback::study {
namespace {

using language::Metric;
using language::ProbeSequence;
using language::TaskScore;

/// The batch is the same for every model of one tokenizer and context.
constexpr std::uint64_t probe_seed = 0;

/// A mean over sequences and its standard error.
Metric mean_of(const std::string& name, std::span<const double> values) {
  const lens::Estimate estimate = lens::estimate(values);
  Metric metric{name, estimate.mean, std::nullopt};
  if (values.size() > 1) metric.standard_error = estimate.standard_error;
  return metric;
}

/// The exponential of a mean; its standard error is first-order.
Metric exponential_of(const std::string& name, std::span<const double> logarithms) {
  Metric metric = mean_of(name, logarithms);
  metric.value = std::exp(metric.value);
  if (metric.standard_error) *metric.standard_error *= metric.value;
  return metric;
}

std::vector<double> differences(std::span<const double> a, std::span<const double> b) {
  std::vector<double> result(a.size());
  std::ranges::transform(a, b, result.begin(), std::minus<>());
  return result;
}

template <class Draw>
std::vector<ProbeSequence> draw_all(std::size_t count, const Draw& draw) {
  std::vector<ProbeSequence> sequences;
  for (std::uint64_t i = 0; i < count; ++i) sequences.push_back(draw(i));
  return sequences;
}

}  // namespace

std::vector<data::Token> plain_tokens(const language::Tokenizer& tokenizer) {
  std::vector<data::Token> plain;
  const auto& specials = tokenizer.vocabulary().specials;
  for (data::Token token = 0; token < tokenizer.size(); ++token) {
    if (std::ranges::find(specials, token, &language::Special::id) == specials.end()) {
      plain.push_back(token);
    }
  }
  return plain;
}

Result<std::vector<TaskScore>> evaluate_probes(const lens::Model& model,
                                               std::span<const data::Token> plain,
                                               const TextEvaluationOptions& options,
                                               base::Workers& workers, const base::GoOn& go_on) {
  const std::size_t length = std::min(options.length, model.architecture().context) / 4 * 4;
  if (length < 8 || plain.size() < length / 2) {
    return Error{
        fmt::format("found a context of {} and {} plain tokens, allowed: at least 8, and half as "
                    "many tokens as a probe has positions, {}",
                    model.architecture().context, plain.size(), length / 2)};
  }
  const language::Predictor predictor(model.program, model.parameters, workers, go_on);
  const auto copies = language::run_probe(draw_all(options.sequences,
                                                   [&](std::uint64_t i) {
                                                     return language::copying_sequence(
                                                         plain, length, probe_seed, i);
                                                   }),
                                          predictor);
  if (!copies) return copies.error();
  const auto lookups = language::run_probe(
      draw_all(
          options.sequences,
          [&](std::uint64_t i) { return language::lookup_sequence(plain, length, probe_seed, i); }),
      predictor);
  if (!lookups) return lookups.error();
  const auto bump = differences(copies->first_loss, copies->second_loss);
  const std::size_t count = options.sequences;
  return std::vector<TaskScore>{
      {"induction", count, count, {mean_of("induction_bump", bump)}},
      {"copy", count, count, {mean_of("acc", copies->second_accuracy)}},
      {"lookup", count, count, {mean_of("acc", lookups->second_accuracy)}},
  };
}

Result<TaskScore> evaluate_perplexity(const lens::Model& model, const Text& text,
                                      std::size_t length, const TextEvaluationOptions& options,
                                      base::Workers& workers, const base::GoOn& go_on) {
  if (Status fits = language::check_windows(*text.validation, length); !fits) return fits.error();
  if (Status known = lens::check_inputs(model.program, model.parameters, length,
                                        text.validation->vocabulary());
      !known) {
    return known.error();
  }
  const Validation validation(model.program, text.validation, length, options.windows, workers);
  Result<std::vector<double>> losses = validation.losses(model.parameters, go_on);
  if (!losses) return losses.error();
  for (double& loss : *losses) loss /= static_cast<double>(validation.predictions());
  return TaskScore{"perplexity",
                   validation.all_windows(),
                   validation.windows(),
                   {exponential_of("token_perplexity", *losses)}};
}

Result<TaskScore> evaluate_value_content(const lens::Model& model, const Text& text,
                                         std::size_t length, const TextEvaluationOptions& options,
                                         base::Workers& workers, const base::GoOn& go_on) {
  if (Status fits = language::check_windows(*text.validation, length); !fits) return fits.error();
  const language::OrderedWindows source(text.validation, length);
  const std::uint64_t windows = std::min<std::uint64_t>(options.windows, source.windows());
  const Result<ValueContent> losses = value_content(model, source, windows, workers, go_on);
  if (!losses) return losses.error();
  return TaskScore{
      "value-content",
      source.windows(),
      windows,
      {exponential_of("perplexity_ratio", differences(losses->ablated, losses->whole))}};
}

}  // namespace lookback::study
