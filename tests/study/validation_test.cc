// Validation: the mean loss of a model over the windows of a text that it has not learned from.
#include "lookback/study/validation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "lookback/model/cpu_engine.h"
#include "lookback/model/executor.h"
#include "lookback/study/training_data.h"
#include "tests/study/small_text.h"

namespace lookback::study {
namespace {

constexpr std::size_t length = 24;

model::Program validated_program() {
  model::Architecture architecture;
  architecture.vocabulary = spec::byte_vocabulary;
  architecture.context = 32;
  architecture.d_model = 16;
  architecture.d_head = 8;
  architecture.layers = 2;
  return *model::compile(architecture);
}

class ValidationOfText : public testing::Test {
 protected:
  nlohmann::json measure(std::size_t windows, std::size_t workers = 2) const {
    model::CpuEngine team(workers);
    return Validation(program_, text_.validation, length, windows, team).measure(parameters_);
  }
  /// Summed over the predictions of a window.
  double loss_of(const std::vector<data::Token>& tokens) const {
    model::Executor<float> executor(program_, 1, length);
    executor.forward(parameters_, tokens);
    const std::span<const float> losses = executor.losses();
    return std::accumulate(losses.begin(), losses.end(), 0.0);
  }
  std::uint64_t all_windows() const { return (text_.validation->size() - 1) / (length - 1); }

  test::TemporaryDirectory directory_;
  Text text_ = *open_text(spec::prepare_text(directory_, "books", spec::made_up_text(60)));
  model::Program program_ = validated_program();
  std::vector<float> parameters_ = model::initialize(program_, 1);
};

TEST_F(ValidationOfText, IsTheMeanOverWindowsSpreadOverTheText) {
  const nlohmann::json found = measure(5);
  const language::SpreadWindows windows(text_.validation, length, 5);
  ASSERT_GT(windows.all_windows(), 10U);
  double sum = 0, first = 0;
  for (std::uint64_t i = 0; i < 5; ++i) {
    sum += loss_of(windows.sequence(i));
    std::vector<data::Token> tokens(length);
    text_.validation->copy(i * (length - 1), tokens);
    first += loss_of(tokens);
  }
  const double loss = sum / (5 * (length - 1));
  EXPECT_NEAR(found["loss"].get<double>(), loss, 1e-9);
  EXPECT_GT(std::abs(sum - first), 1e-3);  // which the text's first windows are not
  EXPECT_NEAR(found["perplexity"].get<double>(), std::exp(loss), 1e-6);
  EXPECT_EQ(found["tokens"], 5 * (length - 1));
  EXPECT_EQ(found["windows"], "spread");
}

TEST_F(ValidationOfText, SaysAPerplexityBeyondNumbersByItsLossAlone) {
  for (float& parameter : parameters_) parameter *= 1000;
  const nlohmann::json found = nlohmann::json::parse(measure(5).dump());
  EXPECT_GT(found["loss"].get<double>(), 710);  // exp(710) is beyond a double
  EXPECT_TRUE(found["perplexity"].is_null());
}

TEST_F(ValidationOfText, PredictsAllTokensButTheFirstOnce) {
  const nlohmann::json all = measure(1'000'000);
  const std::uint64_t predicted = all["tokens"].get<std::uint64_t>();
  EXPECT_EQ(predicted, all_windows() * (length - 1));
  EXPECT_LE(predicted, text_.validation->size() - 1);
  EXPECT_GT(predicted + length - 1,
            text_.validation->size() - 1);  // what is left over does not fill a window
}

TEST_F(ValidationOfText, HasTheSameBitsForAnyNumberOfWorkers) {
  EXPECT_EQ(measure(20, 1).dump(), measure(20, 3).dump());
}

TEST_F(ValidationOfText, IsTheSameWhenAskedAgain) {
  model::CpuEngine team(2);
  const Validation validation(program_, text_.validation, length, 6, team);
  const nlohmann::json first = validation.measure(parameters_);
  const std::vector<float> other = model::initialize(program_, 2);
  EXPECT_NE(validation.measure(other)["loss"], first["loss"]);
  EXPECT_EQ(validation.measure(parameters_), first);
}

}  // namespace
}  // namespace lookback::study
