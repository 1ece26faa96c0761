// What a circuit states, through the program itself: with every norm's scale frozen at 1, every
// pattern frozen, rotations undone and MLPs silent, scores and logits are sums of terms, one for
// each path, and the differences that two tokens make are those that the circuits predict.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lookback/lens/circuit_factors.h"
#include "lookback/model/executor.h"
#include "lookback/model/taps.h"
#include "tests/lens/wirings.h"

namespace lookback::lens {
namespace {

using Grid = math::Matrix<double>;

/// Every head attends to the token two before. Hops are of two tokens, and of three where a smeared
/// key is what is written; so an offset identifies the path: 2 one hop, 4 two hops, 1 a smear.
constexpr std::size_t hop = 2;
constexpr std::size_t score_length = 8;
constexpr std::size_t query = 7;
constexpr std::size_t source = 4;

/// Scores of `query` and `source` by layer and head, logits at `query`, and how large the numbers
/// are whose differences are taken.
struct Observed {
  std::map<std::pair<std::size_t, std::size_t>, double> scores;
  std::vector<double> logits;
  double largest = 0;
};

class FrozenModel {
 public:
  explicit FrozenModel(const SmallModel& model)
      : program_(model.program),
        parameters_(model.parameters.begin(), model.parameters.end()),
        executor_(program_, 1, score_length),
        taps_(program_) {
    for (const std::string_view name : model::activation_names(program_)) freeze(name);
  }
  FrozenModel(const FrozenModel&) = delete;
  FrozenModel& operator=(const FrozenModel&) = delete;

  Observed run(const std::vector<model::Token>& tokens) {
    observed_ = {};
    executor_.forward(parameters_, tokens, &taps_);
    const auto logits = executor_.logits();
    observed_.logits.assign(logits.row(query), logits.row(query) + logits.cols);
    for (const double logit : observed_.logits) see(logit);
    return observed_;
  }

 private:
  void freeze(std::string_view name) {
    const auto set = [&](const model::Hook<double>& hook) {
      ASSERT_TRUE(taps_.on_forward(name, hook)) << name;
    };
    if (name.ends_with("hook_scale")) set([](auto&, Grid scale) { fill(scale, 1); });
    if (name.ends_with("hook_mlp_out")) set([](auto&, Grid out) { fill(out, 0); });
    if (name.ends_with("attn.hook_pattern")) set([](auto&, Grid pattern) { look_back(pattern); });
    if (name.ends_with("attn.hook_q")) set([this](auto& at, Grid q) { keep(at, 'q', q); });
    if (name.ends_with("attn.hook_k") || name.ends_with("attn.hook_smeared_k")) {
      set([this](auto& at, Grid k) { keep(at, 'k', k); });
    }
    if (name.ends_with("hook_rot_q")) set([this](auto& at, Grid q) { give_back(at, 'q', q); });
    if (name.ends_with("hook_rot_k")) set([this](auto& at, Grid k) { give_back(at, 'k', k); });
    if (name.ends_with("hook_attn_scores")) {
      set([this](const model::Tapped& at, Grid scores) {
        observed_.scores[{layer_of(at), at.head}] = scores(query, source);
        see(norm(kept_[{'q', at.head}]) * norm(kept_[{'k', at.head}]));
      });
    }
  }

  static std::size_t layer_of(const model::Tapped& at) {
    return std::stoul(std::string(at.name.substr(std::string_view("blocks.").size())));
  }
  static void fill(Grid grid, double value) {
    for (std::size_t r = 0; r < grid.rows; ++r) std::fill_n(grid.row(r), grid.cols, value);
  }
  static void look_back(Grid pattern) {
    fill(pattern, 0);
    for (std::size_t t = 0; t < pattern.rows; ++t) pattern(t, t < hop ? 0 : t - hop) = 1;
  }
  static double norm(const std::vector<double>& numbers) { return model::spec::norm(numbers); }
  /// Of smeared keys the last to come is kept: after the smear.
  void keep(const model::Tapped& at, char what, Grid values) {
    std::vector<double>& kept = kept_[{what, at.head}];
    kept.clear();
    for (std::size_t r = 0; r < values.rows; ++r) {
      kept.insert(kept.end(), values.row(r), values.row(r) + values.cols);
    }
  }
  void give_back(const model::Tapped& at, char what, Grid values) {
    const std::vector<double>& kept = kept_[{what, at.head}];
    for (std::size_t r = 0; r < values.rows; ++r) {
      for (std::size_t c = 0; c < values.cols; ++c) values(r, c) = kept[r * values.cols + c];
    }
  }
  void see(double number) { observed_.largest = std::max(observed_.largest, std::abs(number)); }

  const model::Program& program_;
  std::vector<double> parameters_;
  model::Executor<double> executor_;
  model::Taps<double> taps_;
  std::map<std::pair<char, std::size_t>, std::vector<double>> kept_;
  Observed observed_;
};

/// A path to a number is at most 8 layers and steps of 4 products, each a sum of at most D = 12
/// terms, and its differences add four runs. Roundings are relative to norms of what is summed.
double tolerance(double largest) {
  return 4 * 8 * 4 * 12 * std::numeric_limits<double>::epsilon() * (1 + largest);
}

class CircuitScores : public ::testing::TestWithParam<Wiring> {
 protected:
  void SetUp() override {
    model_ = random_model(GetParam().architecture);
    ASSERT_FALSE(model_.parameters.empty());
    auto maker = CircuitMaker::make(model_.program, model_.parameters);
    ASSERT_TRUE(maker);
    maker_.emplace(std::move(*maker));
  }

  Eigen::MatrixXd circuit(CircuitKind kind, HeadPlace head,
                          std::optional<HeadPlace> from = std::nullopt) const {
    const auto dense = maker_->product(maker_->factors({kind, head, from})).dense(64);
    EXPECT_TRUE(dense);
    return *dense;
  }

  /// The composition circuits of all earlier heads with `head`, added up.
  Eigen::MatrixXd composed(CircuitKind kind, HeadPlace head) const {
    const auto v = static_cast<Eigen::Index>(model_.program.architecture.vocabulary);
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(v, v);
    for (const HeadWeights& from : maker_->heads()) {
      if (!comes_before(from.place, head, model_.program.architecture.heads)) continue;
      sum += circuit(kind, head, from.place);
    }
    return sum;
  }

  /// S(a,b) - S(a',b) - S(a,b') + S(a',b') of a head's scores, where a is the token at `at_query`
  /// and b that at `at_source`, and of a circuit: equal for every head.
  void expect_scores(std::size_t at_query, std::size_t at_source,
                     const std::function<Eigen::MatrixXd(HeadPlace)>& predicted) {
    FrozenModel frozen(model_);
    const model::Token a[] = {1, 5};
    const model::Token b[] = {2, 6};
    std::map<std::pair<std::size_t, std::size_t>, double> difference;
    double largest = 0;
    for (const int i : {0, 1}) {
      for (const int j : {0, 1}) {
        std::vector<model::Token> tokens = {3, 0, 4, 1, 6, 2, 5, 3};
        tokens[at_query] = a[i];
        tokens[at_source] = b[j];
        const Observed observed = frozen.run(tokens);
        for (const auto& [at, score] : observed.scores) difference[at] += i == j ? score : -score;
        largest = std::max(largest, observed.largest);
      }
    }
    ASSERT_EQ(difference.size(), maker_->heads().size());
    for (const auto& [at, value] : difference) {
      const Eigen::MatrixXd m = predicted({at.first, at.second});
      EXPECT_NEAR(value, m(a[0], b[0]) - m(a[1], b[0]) - m(a[0], b[1]) + m(a[1], b[1]),
                  tolerance(largest))
          << "head " << at.first << "." << at.second;
    }
  }

  /// The change of the logits when the token at `at` changes, and of the row of `predicted`.
  void expect_logits(std::size_t at, const Eigen::MatrixXd& predicted) {
    FrozenModel frozen(model_);
    std::vector<model::Token> tokens = {3, 0, 4, 1, 6, 2, 5, 3};
    tokens[at] = 1;
    const Observed first = frozen.run(tokens);
    tokens[at] = 5;
    const Observed second = frozen.run(tokens);
    const double largest = std::max(first.largest, second.largest);
    for (std::size_t v = 0; v < first.logits.size(); ++v) {
      const auto column = static_cast<Eigen::Index>(v);
      EXPECT_NEAR(first.logits[v] - second.logits[v], predicted(1, column) - predicted(5, column),
                  tolerance(largest))
          << "logit " << v;
    }
  }

  SmallModel model_;
  std::optional<CircuitMaker> maker_;
};

TEST_P(CircuitScores, OfTheTokensThemselvesAreTheQkCircuit) {
  expect_scores(query, source, [&](HeadPlace head) { return circuit(CircuitKind::qk, head); });
}

TEST_P(CircuitScores, OfTheTokenBeforeTheSourceAreTheSmearedOneAndElseNone) {
  const bool smeared = model_.program.architecture.smeared_keys;
  expect_scores(query, source - 1, [&](HeadPlace head) -> Eigen::MatrixXd {
    if (smeared) return circuit(CircuitKind::qk_before, head);
    return Eigen::MatrixXd::Zero(7, 7);
  });
}

TEST_P(CircuitScores, OfWhatEarlierHeadsWroteAtTheSourceAreKComposition) {
  expect_scores(query, source - hop,
                [&](HeadPlace head) { return composed(CircuitKind::k_composition, head); });
}

TEST_P(CircuitScores, OfWhatEarlierHeadsWroteAtTheQueryAreQComposition) {
  expect_scores(query - hop, source,
                [&](HeadPlace head) { return composed(CircuitKind::q_composition, head); });
}

TEST_P(CircuitScores, LogitsOfOneHopAreTheOvCircuits) {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(7, 7);
  for (const HeadWeights& head : maker_->heads()) sum += circuit(CircuitKind::ov, head.place);
  expect_logits(query - hop, sum);
}

TEST_P(CircuitScores, LogitsOfTwoHopsAreTheVirtualOvCircuits) {
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(7, 7);
  for (const HeadWeights& head : maker_->heads()) {
    sum += composed(CircuitKind::v_composition, head.place);
  }
  expect_logits(query - 2 * hop, sum);
}

INSTANTIATE_TEST_SUITE_P(Wirings, CircuitScores, ::testing::ValuesIn(wirings()), wiring_name);

}  // namespace
}  // namespace lookback::lens
