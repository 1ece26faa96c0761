#include "lookback/study/text_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>

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

/// The batch is the same for every model with the same tokenizer and context.
constexpr std::uint64_t probe_seed = 0;

/// A mean over sequences and its standard error.
Metric mean_of(const std::string& name, std::span<const double> values) {
  const lens::Estimate estimate = lens::estimate(values);
  Metric metric{name, estimate.mean, std::nullopt};
  if (values.size() > 1) metric.standard_error = estimate.standard_error;
  return metric;
}

/// Bits per byte of the text in windows; none if they contain no text.
std::optional<Metric> bits_per_byte_of(std::span<const WindowLoss> windows) {
  std::vector<double> bits, bytes;
  for (const WindowLoss& window : windows) {
    bits.push_back(window.text_nats / std::numbers::ln2);
    bytes.push_back(static_cast<double>(window.text_bytes));
  }
  const lens::Estimate estimate = lens::ratio_estimate(bits, bytes);
  if (!std::isfinite(estimate.mean)) return std::nullopt;
  Metric metric{"bits_per_byte", estimate.mean, std::nullopt};
  if (std::isfinite(estimate.standard_error)) metric.standard_error = estimate.standard_error;
  return metric;
}

/// What the score of validation windows says about the windows.
nlohmann::json about_windows(const Text& text) {
  return {{"windows", spread_windows}, {"text", to_json(text)}};
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

std::vector<std::size_t> text_bytes(const language::Tokenizer& tokenizer) {
  std::vector<std::size_t> bytes;
  for (const std::string& token : tokenizer.vocabulary().tokens) bytes.push_back(token.size());
  for (const language::Special& special : tokenizer.vocabulary().specials) bytes[special.id] = 0;
  return bytes;
}

Result<std::vector<TaskScore>> evaluate_probes(const lens::Model& model,
                                               std::span<const data::Token> plain,
                                               const TextEvaluationOptions& options,
                                               model::Engine& engine,
                                               const base::Control& control) {
  const std::size_t length = std::min(options.length, model.architecture().context) / 4 * 4;
  if (length < 8 || plain.size() < length / 2) {
    return Error{
        fmt::format("found a context of {} and {} plain tokens, allowed: a context of at least 8, "
                    "and at least half as many plain tokens as a probe has positions, {}",
                    model.architecture().context, plain.size(), length / 2)};
  }
  const language::Predictor predictor(model.program, model.parameters, engine, control);
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
                                      std::span<const std::size_t> token_bytes, std::size_t length,
                                      const TextEvaluationOptions& options, model::Engine& engine,
                                      const base::Control& control) {
  if (Status fits = language::check_windows(*text.validation, length); !fits) return fits.error();
  if (Status known = model::check_inputs(model.program, model.parameters, length,
                                         text.validation->vocabulary());
      !known) {
    return known.error();
  }
  if (token_bytes.size() < text.validation->vocabulary()) {
    return Error{fmt::format("found byte counts of {} tokens, allowed: of all {}",
                             token_bytes.size(), text.validation->vocabulary())};
  }
  const Validation validation(model.program, text.validation, length, options.windows, engine);
  const auto windows = validation.losses(model.parameters, control, token_bytes);
  if (!windows) return windows.error();
  std::vector<double> losses;
  for (const WindowLoss& window : *windows) {
    losses.push_back(window.nats / static_cast<double>(validation.predictions()));
  }
  const Metric loss = mean_of("loss", losses);
  TaskScore score{"perplexity",
                  validation.all_windows(),
                  validation.windows(),
                  {language::perplexity_of("token_perplexity", loss), loss},
                  about_windows(text)};
  if (const auto bits = bits_per_byte_of(*windows)) score.metrics.push_back(*bits);
  return score;
}

Result<TaskScore> evaluate_value_content(const lens::Model& model, const Text& text,
                                         std::size_t length, const TextEvaluationOptions& options,
                                         model::Engine& engine, const base::Control& control) {
  if (Status fits = language::check_windows(*text.validation, length); !fits) return fits.error();
  const language::SpreadWindows source(text.validation, length, options.windows);
  const auto losses = value_content(model, source, source.windows(), engine, control);
  if (!losses) return losses.error();
  const Metric rise = mean_of("loss_rise", differences(losses->ablated, losses->whole));
  return TaskScore{"value-content",
                   source.all_windows(),
                   source.windows(),
                   {language::perplexity_of("perplexity_ratio", rise), rise},
                   about_windows(text)};
}

}  // namespace lookback::study
