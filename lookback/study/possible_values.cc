#include "lookback/study/possible_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

namespace lookback::study {
namespace {

using nlohmann::json;

/// The range of values under a key; a name that begins with * stands for every key with that
/// ending.
struct Values {
  std::string_view name;
  double least;
  double most;
};

constexpr Values possible[] = {
    // Shares of attention, of tokens and of answers.
    {"induction_score", 0, 1},
    {"induction_score_peak", 0, 1},
    {"induction_stripe", 0, 1},
    {"induction_chance", 0, 1},
    {"previous_token_score", 0, 1},
    {"duplicate_token_score", 0, 1},
    {"band_share", 0, 1},
    {"low_score", 0, 1},
    {"peak_score", 0, 1},
    {"head_similarity", 0, 1},
    {"diagonal_share", 0, 1},
    {"acc", 0, 1},
    {"acc_norm", 0, 1},
    {"eigenvalue_score", -1, 1},
    // Losses, and quantities computed from them.
    {"*loss", 0, HUGE_VAL},
    {"loss_by_position", 0, HUGE_VAL},
    {"loss_by_occurrence", 0, HUGE_VAL},
    {"validation_loss_least", 0, HUGE_VAL},
    {"baseline", 0, HUGE_VAL},
    {"kl", 0, HUGE_VAL},
    {"*perplexity", 0, HUGE_VAL},
    {"*perplexity_ratio", 0, HUGE_VAL},
    {"bits_per_byte", 0, HUGE_VAL},
    // Sizes and counts.
    {"entropy", 0, HUGE_VAL},
    {"sharpness", 0, HUGE_VAL},
    {"standard_error", 0, HUGE_VAL},
    {"*_stderr", 0, HUGE_VAL},
    {"gradient_norm", 0, HUGE_VAL},
    {"learning_rate", 0, HUGE_VAL},
    {"frobenius_norm", 0, HUGE_VAL},
    {"singular_values", 0, HUGE_VAL},
    {"step", 0, HUGE_VAL},
    {"seed", 0, HUGE_VAL},
    {"*tokens", 0, HUGE_VAL},
    {"parameters", 0, HUGE_VAL},
    {"sequences", 0, HUGE_VAL},
    {"original", 0, HUGE_VAL},
    {"effective", 0, HUGE_VAL},
    {"layer", 0, HUGE_VAL},
    {"head", 0, HUGE_VAL},
};

/// The harness names a filter after each metric: "acc,none".
std::string_view without_filter(std::string_view key) { return key.substr(0, key.find(',')); }

const Values* values_of(std::string_view key) {
  const auto names_it = [&](const Values& values) {
    const bool is_ending = values.name.starts_with('*');
    return is_ending ? key.ends_with(values.name.substr(1)) : key == values.name;
  };
  const auto* const found = std::ranges::find_if(possible, names_it);
  return found == std::end(possible) ? nullptr : found;
}

/// The numbers under `key`, in lists too. `values` are its own, or none.
std::string fault_under(std::string_view key, const Values* values, const json& value) {
  constexpr double rounding = 1e-6;
  if (value.is_number() && values != nullptr) {
    const auto number = value.get<double>();
    if (number >= values->least - rounding && number <= values->most + rounding) return "";
    return fmt::format("{} is {:g}, which is impossible", key, number);
  }
  if (value.is_array()) {
    for (const json& one : value) {
      if (std::string fault = fault_under(key, values, one); !fault.empty()) return fault;
    }
  }
  if (!value.is_object()) return "";
  for (const auto& [name, one] : value.items()) {
    const bool is_estimate = name == "mean" && values != nullptr;
    const std::string_view plain = is_estimate ? key : without_filter(name);
    std::string fault = fault_under(plain, is_estimate ? values : values_of(plain), one);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace

std::string fault_of_values(const json& value) { return fault_under("", nullptr, value); }

}  // namespace lookback::study
