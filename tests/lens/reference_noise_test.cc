// Whether the printed standard errors are those that figures really have: over many independent sets
// of sequences, measured ones, references and others alike, the spread of a figure is the standard
// error that each set gives for it. Had the references no part in it, those made of means would spread
// about twice as far as they say.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "lookback/lens/ablation_edits.h"
#include "lookback/model/cpu_engine.h"
#include "tests/lens/all_wirings.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {
namespace {

constexpr std::size_t sets = 40;
constexpr std::size_t sequences_a_set =
    128;  // with 64 references alone the means would be most of the noise

struct Named {
  std::string name;
  Intervention intervention;
};

template <class Ablation>
Named named(std::string name, const Ablation& ablation) {
  return {std::move(name), [ablation](Context& context) { return edits_of(ablation, context); }};
}

std::vector<Named> interventions_to_check() {
  using enum Replacement;
  const Component head_0{Component::Kind::head, 0, 0};
  const Component token{Component::Kind::token, 0, 0};
  return {
      named("head, zero", HeadAblation{{0, 0}, zero}),
      named("head, mean", HeadAblation{{0, 0}, mean}),
      named("head, resample", HeadAblation{{0, 0}, resample}),
      named("path into keys, mean", PathAblation{head_0, {1, 0}, Input::k, mean}),
      named("path into values, resample", PathAblation{token, {1, 0}, Input::v, resample}),
      named("path into the logits, mean", LogitsAblation{token, mean}),
      named("patterns, mean", PatternAblation{std::nullopt, mean}),
      named("patterns, resample", PatternAblation{std::nullopt, resample}),
      named("values", ValueAblation{std::nullopt}),
      named("last norm, frozen", NormAblation{"ln_final", NormAblation::Change::frozen}),
      named("norms, frozen", NormAblation{std::nullopt, NormAblation::Change::frozen}),
      named("norms, removed", NormAblation{std::nullopt, NormAblation::Change::removed}),
  };
}

/// The rise of one intervention on each of the sets.
using Rises = std::vector<Estimate>;

double root_mean_square_error(const Rises& rises) {
  double sum = 0;
  for (const Estimate& rise : rises) sum += rise.standard_error * rise.standard_error;
  return std::sqrt(sum / static_cast<double>(rises.size()));
}

Estimate over_sets(const Rises& rises) {
  std::vector<double> means;
  means.reserve(rises.size());
  for (const Estimate& rise : rises) means.push_back(rise.mean);
  return estimate(means);
}

double share_that_holds(const Rises& rises, double truth) {
  double held = 0;
  for (const Estimate& rise : rises) held += rise.lower() < truth && truth < rise.upper() ? 1 : 0;
  return held / static_cast<double>(rises.size());
}

TEST(SlowReferenceNoise, IsInTheStandardErrorOfEveryIntervention) {
  const SmallModel model = shaken_model(small_architecture());
  const std::vector<std::string> recorded = ablation_activations(model.program.architecture, true);
  const std::vector<Named> checked = interventions_to_check();
  std::vector<Intervention> interventions;
  interventions.reserve(checked.size());
  for (const Named& one : checked) interventions.push_back(one.intervention);
  model::CpuEngine engine(2);
  std::vector<Rises> rises(checked.size());
  for (std::size_t set = 0; set < sets; ++set) {
    data::BlockTask task = small_probe(data::BlockKind::repeated_blocks)->task();
    task.seed = 1000 + set;
    const auto probe = data::make_block_source(task);
    ASSERT_TRUE(probe);
    const Setting setting{{model.program, model.parameters}, **probe, sequences_a_set, engine};
    const auto measured = measure(setting, recorded, interventions);
    ASSERT_TRUE(measured) << measured.error().message;
    for (std::size_t i = 0; i < checked.size(); ++i) rises[i].push_back(measured->rise(i));
  }
  for (std::size_t i = 0; i < checked.size(); ++i) {
    const Estimate found = over_sets(rises[i]);
    const double observed = found.standard_error * std::sqrt(double{sets});
    const double printed = root_mean_square_error(rises[i]);
    // A deviation of 40 sets is known to 11%, the root mean square of 40 errors of 15 degrees of
    // freedom to 3%: three deviations of the ratio are 0.35.
    EXPECT_NEAR(observed / printed, 1, 0.35)
        << checked[i].name << ": printed " << printed << ", observed " << observed;
    EXPECT_GE(share_that_holds(rises[i], found.mean), 0.85) << checked[i].name;  // 0.95 - 3 x 0.034
  }
}

}  // namespace
}  // namespace lookback::lens
