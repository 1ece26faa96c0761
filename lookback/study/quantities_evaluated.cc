// The measures of claims that are read from evaluation.json, for language models only.
#include <array>

#include "lookback/base/json_access.h"
#include "lookback/study/quantities.h"

namespace lookback::study {
namespace {

/// Where a measure is in the file: results, the task, the metric.
struct Place {
  const char* task;
  const char* metric;
};

constexpr Place text_perplexity{"perplexity", "token_perplexity,none"};
constexpr Place text_bits{"perplexity", "bits_per_byte,none"};
constexpr Place induction_bump{"induction", "induction_bump,none"};
constexpr Place copy_accuracy{"copy", "acc,none"};
constexpr Place lookup_accuracy{"lookup", "acc,none"};
constexpr Place value_content_place{"value-content", "perplexity_ratio,none"};
constexpr Place value_content_rise{"value-content", "loss_rise,none"};
constexpr Place wikitext_bits{"wikitext", "bits_per_byte,none"};
constexpr Place hellaswag{"hellaswag", "acc_norm,none"};
constexpr Place arc_easy{"arc_easy", "acc_norm,none"};
constexpr Place arc_challenge{"arc_challenge", "acc_norm,none"};
constexpr Place lambada{"lambada", "acc,none"};

template <const Place& place>
Figure evaluated(const RunRecord& run, std::string_view /*probe*/) {
  const auto value = base::find_number(run.evaluation, {"results", place.task, place.metric});
  return value ? Figure(*value) : Figure();
}

constexpr std::array evaluated_all = {
    Quantity{.name = "text_perplexity",
             .says = "the perplexity on validation text",
             .logarithmic = true,
             .read = evaluated<text_perplexity>},
    Quantity{.name = "text_bits_per_byte",
             .unit = "bits",
             .says = "the bits a byte of validation text costs",
             .read = evaluated<text_bits>},
    Quantity{.name = "induction_bump",
             .unit = "nats",
             .says = "the fall of loss from the first copy of random tokens to the second",
             .read = evaluated<induction_bump>},
    Quantity{.name = "copy_accuracy",
             .says = "the share of the second copy of random tokens that is predicted",
             .read = evaluated<copy_accuracy>},
    Quantity{.name = "lookup_accuracy",
             .says = "the share of keys whose value is looked up",
             .read = evaluated<lookup_accuracy>},
    Quantity{
        .name = "text_value_content_ratio",
        .says = "the factor on the perplexity of text when the content of every value is its mean",
        .logarithmic = true,
        .read = evaluated<value_content_place>},
    Quantity{.name = "text_value_content_rise",
             .unit = "nats",
             .says = "the rise of loss on text when the content of every value is its mean",
             .read = evaluated<value_content_rise>},
    Quantity{.name = "wikitext_bits_per_byte",
             .unit = "bits",
             .says = "the bits a byte of WikiText-2 costs",
             .read = evaluated<wikitext_bits>},
    Quantity{.name = "hellaswag_accuracy",
             .says = "the normalized accuracy on HellaSwag",
             .read = evaluated<hellaswag>},
    Quantity{.name = "arc_easy_accuracy",
             .says = "the normalized accuracy on ARC-Easy",
             .read = evaluated<arc_easy>},
    Quantity{.name = "arc_challenge_accuracy",
             .says = "the normalized accuracy on ARC-Challenge",
             .read = evaluated<arc_challenge>},
    Quantity{
        .name = "lambada_accuracy", .says = "the accuracy on LAMBADA", .read = evaluated<lambada>},
};

}  // namespace

std::span<const Quantity> evaluated_quantities() { return evaluated_all; }

}  // namespace lookback::study
