// The figures of claims that hold a model against the predictors of its task
// (lens/predictor_scores.h): how far it is from each, and when it comes near.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "lookback/base/json_access.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

using base::find_array;
using base::find_number;
using nlohmann::json;

constexpr const char* uniform_name = "uniform";
constexpr const char* unigram_name = "unigram";
constexpr const char* bigram_name = "bigram";
constexpr const char* ideal_name = "";  // the one that is ideal, whatever its name

const json& predictors_of(const json& line, std::string_view probe) {
  static const json none;
  const json* measured = probe_of(line, probe);
  return find_array(measured == nullptr ? none : *measured, {"predictors"});
}

/// Where it stands among them, from the one that knows least to the one that knows most.
std::optional<std::size_t> rank_of(const json& predictors, std::string_view name) {
  const auto is_it = [&](const json& one) {
    if (!name.empty()) return base::find_text(one, {"name"}) == name;
    const json* ideal = base::find_value(one, {"ideal"});
    return ideal != nullptr && ideal->is_boolean() && ideal->get<bool>();
  };
  const auto found = std::ranges::find_if(predictors, is_it);
  if (found == predictors.end()) return std::nullopt;
  return static_cast<std::size_t>(found - predictors.begin());
}

/// Where the one stands whose divergence is least.
std::optional<std::size_t> nearest_of(const json& predictors) {
  std::optional<std::size_t> nearest;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < predictors.size(); ++i) {
    const double kl = find_number(predictors[i], {"kl"}).value_or(least);
    if (kl < least) nearest = i;
    least = std::min(least, kl);
  }
  return nearest;
}

template <const char* const& name>
Figure kl_at_end(const RunRecord& run, std::string_view probe) {
  if (run.metrics.empty()) return {};
  const json& predictors = predictors_of(run.metrics.back(), probe);
  const auto rank = rank_of(predictors, name);
  const auto kl = rank ? find_number(predictors[*rank], {"kl"}) : std::nullopt;
  return kl ? Figure(*kl) : Figure();
}

Figure excess_loss(const RunRecord& run, std::string_view probe) {
  if (run.metrics.empty()) return {};
  const json* measured = probe_of(run.metrics.back(), probe);
  const json& predictors = predictors_of(run.metrics.back(), probe);
  const auto rank = rank_of(predictors, ideal_name);
  if (!rank) return {};
  const auto own = find_number(*measured, {"loss"});
  const auto least = find_number(predictors[*rank], {"loss"});
  return own && least ? Figure(*own - *least) : Figure();
}

/// Calls visit(tokens, nearest, rank of `name`) for each evaluation that has them; whether any has.
template <class Visit>
bool for_each_nearest(const RunRecord& run, std::string_view probe, std::string_view name,
                      const Visit& visit) {
  bool any = false;
  for (const json& line : run.metrics) {
    const json& predictors = predictors_of(line, probe);
    const auto tokens = find_number(line, {"tokens"});
    const auto rank = rank_of(predictors, name), nearest = nearest_of(predictors);
    if (!tokens || !rank || !nearest) continue;
    visit(*tokens, *nearest, *rank);
    any = true;
  }
  return any;
}

/// From where on none that knows less is nearest. A run begins at one token: figures are logarithmic.
template <const char* const& name>
Figure tokens_until(const RunRecord& run, std::string_view probe) {
  constexpr double never = std::numeric_limits<double>::infinity();
  double since = never;
  const bool measured =
      for_each_nearest(run, probe, name, [&](double tokens, std::size_t nearest, std::size_t rank) {
        since = nearest < rank ? never : std::min(since, std::max(tokens, 1.0));
      });
  return measured ? Figure(since) : Figure();
}

/// The longest stretch of evaluations at which it is the nearest, up to the next at which it is not.
template <const char* const& name>
Figure tokens_nearest(const RunRecord& run, std::string_view probe) {
  constexpr double never = std::numeric_limits<double>::infinity();
  double longest = 0, since = never;
  const bool measured =
      for_each_nearest(run, probe, name, [&](double tokens, std::size_t nearest, std::size_t rank) {
        longest = std::max(longest, tokens - since);
        since = nearest == rank ? std::min(since, tokens) : never;
      });
  return measured ? Figure(longest) : Figure();
}

constexpr Quantity predicted[] = {
    {.name = "excess_loss",
     .unit = "nats",
     .says = "the loss at the end above that of the task's ideal predictor",
     .of_probe = true,
     .read = excess_loss},
    {.name = "ideal_kl",
     .unit = "nats",
     .says = "the KL divergence of the ideal predictor from the model at the end",
     .of_probe = true,
     .read = kl_at_end<ideal_name>},
    {.name = "uniform_kl",
     .unit = "nats",
     .says = "the KL divergence of the uniform predictor from the model at the end",
     .of_probe = true,
     .read = kl_at_end<uniform_name>},
    {.name = "unigram_kl",
     .unit = "nats",
     .says = "the KL divergence of the unigram predictor from the model at the end",
     .of_probe = true,
     .read = kl_at_end<unigram_name>},
    {.name = "bigram_kl",
     .unit = "nats",
     .says = "the KL divergence of the bigram predictor from the model at the end",
     .of_probe = true,
     .read = kl_at_end<bigram_name>},
    {.name = "unigram_stage",
     .unit = "tokens",
     .says = "for how many tokens the unigram predictor is the nearest",
     .of_probe = true,
     .read = tokens_nearest<unigram_name>},
    {.name = "bigram_tokens",
     .unit = "tokens",
     .says = "tokens until no predictor that knows less than bigrams is the nearest",
     .logarithmic = true,
     .may_be_never = true,
     .of_probe = true,
     .read = tokens_until<bigram_name>},
    {.name = "ideal_tokens",
     .unit = "tokens",
     .says = "tokens until the ideal predictor is the nearest",
     .logarithmic = true,
     .may_be_never = true,
     .of_probe = true,
     .read = tokens_until<ideal_name>},
};

}  // namespace

std::span<const Quantity> predicted_quantities() { return predicted; }

}  // namespace lookback::study
