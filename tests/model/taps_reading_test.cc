// Looking changes nothing, and where nobody looks nothing is paid.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "lookback/model/visit.h"
#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

/// A hook here reads every number it is given, so that a sanitizer sees memory that is not there.
template <class N>
Hook<N> reading(double& sum) {
  return [&sum](const Tapped&, Matrix<N> seen) {
    for (std::size_t r = 0; r < seen.rows; ++r) {
      for (std::size_t c = 0; c < seen.cols; ++c) sum += static_cast<double>(seen(r, c));
    }
  };
}

/// To show each head's own result, products are taken a head at a time and then added: another order
/// of one sum, in which bits differ.
bool sums_forward_in_another_order(std::string_view name) { return name.ends_with("hook_result"); }

/// The gradients by each head's own input likewise; forward they are only copies.
bool sums_backward_in_another_order(std::string_view name) {
  return sums_forward_in_another_order(name) || name.ends_with("_input");
}

template <class N>
void expect_same(const Ready& ready, const Outcome<N>& plain, const Outcome<N>& tapped,
                 std::string_view name) {
  const Tolerance allowed = tolerance<N>(ready);
  if (sums_forward_in_another_order(name)) {
    EXPECT_LE(norm(difference(as<double>(tapped.logits), as<double>(plain.logits))), allowed.logits)
        << name;
  } else {
    EXPECT_EQ(tapped.logits, plain.logits) << name;
    EXPECT_EQ(tapped.losses, plain.losses) << name;
  }
  if (sums_backward_in_another_order(name)) {
    EXPECT_LE(norm(difference(as<double>(tapped.gradient), as<double>(plain.gradient))),
              allowed.gradient)
        << name;
  } else {
    EXPECT_EQ(tapped.gradient, plain.gradient) << name;
  }
}

template <class N>
void expect_reading_changes_nothing(const Ready& ready) {
  const Outcome<N> plain = ready.run<N>();
  for (const std::string_view name : activation_names(ready.program)) {
    double sum = 0;
    Taps<N> taps(ready.program);
    EXPECT_TRUE(taps.on_forward(name, reading<N>(sum)));
    EXPECT_TRUE(taps.on_backward(name, reading<N>(sum)));
    expect_same(ready, plain, ready.run<N>(&taps), name);
  }
}

class Reading : public ::testing::TestWithParam<Case> {
 protected:
  Ready ready{GetParam()};
};

TEST_P(Reading, LeavesEveryBitInDouble) { expect_reading_changes_nothing<double>(ready); }

TEST_P(Reading, LeavesEveryBitInFloat) { expect_reading_changes_nothing<float>(ready); }

/// All matrices that hooks on one name were shown, to be put back in their place.
template <class N>
class Record {
 public:
  Hook<N> record() {
    return [this](const Tapped& at, Matrix<N> seen) {
      std::vector<N>& kept = kept_[{at.sequence, at.head}];
      kept.clear();
      for (std::size_t r = 0; r < seen.rows; ++r) {
        kept.insert(kept.end(), seen.row(r), seen.row(r) + seen.cols);
      }
    };
  }
  Hook<N> put_back() {
    return [this](const Tapped& at, Matrix<N> seen) {
      const std::vector<N>& kept = kept_.at({at.sequence, at.head});
      for (std::size_t r = 0; r < seen.rows; ++r) {
        std::copy_n(kept.data() + r * seen.cols, seen.cols, seen.row(r));
      }
    };
  }

 private:
  std::map<std::pair<std::size_t, std::size_t>, std::vector<N>> kept_;
};

TEST_P(Reading, WritingBackWhatWasReadIsReading) {
  const Outcome<double> plain = ready.run();
  for (const std::string_view name : activation_names(ready.program)) {
    Record<double> values, gradients;
    Taps<double> recording(ready.program), writing(ready.program);
    EXPECT_TRUE(recording.on_forward(name, values.record()));
    EXPECT_TRUE(recording.on_backward(name, gradients.record()));
    EXPECT_TRUE(writing.on_forward(name, values.put_back()));
    EXPECT_TRUE(writing.on_backward(name, gradients.put_back()));
    ready.run(&recording);
    expect_same(ready, plain, ready.run(&writing), name);
  }
}

TEST_P(Reading, ReplacingAnActivationByWhatItWasKeepsTheLogits) {
  const Outcome<double> plain = ready.run();
  for (const std::string_view name : activation_names(ready.program)) {
    if (sums_forward_in_another_order(name)) continue;
    Record<double> values;
    Taps<double> recording(ready.program), replacing(ready.program);
    EXPECT_TRUE(recording.on_forward(name, values.record()));
    EXPECT_TRUE(replacing.replace(name, values.put_back()));
    ready.run(&recording);
    EXPECT_EQ(ready.run(&replacing).logits, plain.logits) << name;
  }
}

// --- above the diagonal, where kernels compute nothing

TEST_P(Reading, ShowsScoresMaskedAndAllElseZeroAboveTheDiagonal) {
  const auto expect_above = [](double value) {
    return [value](const Tapped& at, Matrix<double> seen) {
      for (std::size_t t = 0; t < seen.rows; ++t) {
        for (std::size_t s = t + 1; s < seen.cols; ++s) EXPECT_EQ(seen(t, s), value) << at.name;
        for (std::size_t s = 0; s <= t; ++s) EXPECT_TRUE(std::isfinite(seen(t, s))) << at.name;
      }
    };
  };
  Taps<double> taps(ready.program);
  for (const std::string_view name : activation_names(ready.program)) {
    const bool scores = name.ends_with("attn_scores");
    if (!scores && !name.ends_with("pattern")) continue;
    const double masked = scores ? -std::numeric_limits<double>::infinity() : 0;
    EXPECT_TRUE(taps.on_forward(name, expect_above(masked)));
    EXPECT_TRUE(taps.on_backward(name, expect_above(0)));
  }
  ready.run(&taps);
}

TEST_P(Reading, ShowsPatternsWhoseRowsSumToOne) {
  Taps<double> taps(ready.program);
  for (const std::string_view name : activation_names(ready.program)) {
    if (!name.ends_with("pattern")) continue;
    EXPECT_TRUE(taps.on_forward(name, [](const Tapped&, Matrix<double> pattern) {
      for (std::size_t t = 0; t < pattern.rows; ++t) {
        double sum = 0;
        for (std::size_t s = 0; s <= t; ++s) sum += pattern(t, s);
        // T terms that sum to one, each with a rounding, added with one more each.
        EXPECT_NEAR(sum, 1, 2 * static_cast<double>(t + 1) * 0x1p-53);
      }
    }));
  }
  ready.run(&taps);
}

template <class N>
void expect_future_is_ignored(const Ready& ready) {
  const Outcome<N> plain = ready.run<N>();
  const auto scribble = [](const Tapped&, Matrix<N> seen) { fill_future(seen, N(1e3)); };
  Taps<N> taps(ready.program);
  for (const std::string_view name : activation_names(ready.program)) {
    if (!name.ends_with("attn_scores") && !name.ends_with("pattern")) continue;
    EXPECT_TRUE(taps.on_forward(name, scribble));
    EXPECT_TRUE(taps.on_backward(name, scribble));
  }
  const Outcome<N> tapped = ready.run<N>(&taps);
  EXPECT_EQ(tapped.logits, plain.logits);
  EXPECT_EQ(tapped.gradient, plain.gradient);
}

TEST_P(Reading, IgnoresWhatAHookWritesAboveTheDiagonal) {
  expect_future_is_ignored<double>(ready);
  expect_future_is_ignored<float>(ready);
}

// --- what it costs

using Memory = Run<double>;  // inside a test, Run is GoogleTest's

/// The forward pass as the executor does it, on memory that the test can look into.
std::size_t copies_of_forward(const Ready& ready, const Taps<double>* taps) {
  Memory run(ready.program, ready.batch, ready.length);
  run.parameters = ready.parameters;
  run.tokens = ready.tokens;
  run.taps = taps;
  run_steps(run);
  return static_cast<std::size_t>(
      std::ranges::count_if(run.kept, [](const auto& copy) { return !copy.empty(); }));
}

TEST_P(Reading, CopiesNothingWhereNothingIsTapped) {
  EXPECT_EQ(copies_of_forward(ready, nullptr), 0U);
  const Taps<double> no_hooks(ready.program);
  EXPECT_EQ(copies_of_forward(ready, &no_hooks), 0U);
  EXPECT_EQ(no_hooks.steps_apart(0), std::vector<std::size_t>());
}

TEST_P(Reading, CopiesOnlyThePatternsAndTakesApartOnlyTheInputsThatAreTapped) {
  double sum = 0;
  const std::size_t steps = GetParam().architecture.steps;
  Taps<double> pattern(ready.program), input(ready.program);
  EXPECT_TRUE(pattern.on_forward("blocks.0.attn.hook_pattern", reading<double>(sum)));
  EXPECT_TRUE(input.on_forward("blocks.0.hook_k_input", reading<double>(sum)));
  EXPECT_EQ(copies_of_forward(ready, &pattern), steps);
  EXPECT_EQ(pattern.steps_apart(0).size(), 0U);
  EXPECT_EQ(copies_of_forward(ready, &input), 0U);
  EXPECT_EQ(input.steps_apart(0).size(), steps);
}

INSTANTIATE_TEST_SUITE_P(Model, Reading, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace lookback::model::spec
