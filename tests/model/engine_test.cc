// What every engine does, whichever it is.
#include "lookback/model/engine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "lookback/model/cpu_engine.h"
#include "tests/lens/all_wirings.h"
#include "tests/model/running.h"

namespace lookback::model {
namespace {

using lens::shaken_model;
using lens::SmallModel;

constexpr std::size_t run_length = 6;

using Losses = std::vector<float>;

Architecture sequential_layers() {
  Architecture a = lens::small_architecture();
  a.context = run_length;
  a.steps = 2;
  a.norm_between = NormKind::layernorm;
  a.positions = Positions::rotary;
  return a;
}

Edit edit_of(Edit::Kind kind, const char* activation, std::optional<std::size_t> head) {
  Edit edit;
  edit.kind = kind;
  edit.activation = activation;
  edit.head = head;
  return edit;
}

Edit set_to(const char* activation, std::optional<std::size_t> head,
            math::Matrix<const float> value) {
  Edit edit = edit_of(Edit::Kind::set, activation, head);
  edit.value = value;
  return edit;
}

/// Every kind of edit, at every kind of place, earlier and later in the model.
std::vector<Plan> some_plans() {
  static const std::vector<float> numbers(256, 0.125F);
  const auto value = [](std::size_t cols) {
    return math::Matrix<const float>{numbers.data(), 1, cols, cols};
  };
  Edit frozen = edit_of(Edit::Kind::copy, "blocks.1.ln1.hook_normalized", std::nullopt);
  frozen.source = "blocks.1.hook_resid_pre";
  Edit copying = edit_of(Edit::Kind::add_tokens, "logits", 1);
  copying.source = "blocks.0.attn.hook_pattern";
  copying.gain = 2;
  return {
      {},
      {{set_to("blocks.1.attn.hook_z", 3, value(8))}, {}},
      {{set_to("blocks.0.hook_k_input", 2, value(16))}, {"blocks.1.attn.hook_z"}},
      {{set_to("blocks.1.attn.hook_pattern", 0, value(run_length))}, {}},
      {{set_to("blocks.0.attn.hook_pattern", 1, value(run_length)),
        set_to("ln_final.hook_scale", std::nullopt, value(1))},
       {}},
      {{set_to("blocks.1.attn.hook_result", 1, value(16))}, {"blocks.0.hook_q_input"}},
      {{edit_of(Edit::Kind::zero, "hook_embed", std::nullopt)}, {}},
      {{frozen}, {"hook_embed"}},
      {{copying}, {}},
      {{set_to("blocks.0.attn.hook_attn_scores", 3, value(run_length))}, {}},
  };
}

template <class Made>
class Engines : public testing::Test {
 protected:
  std::vector<JobResult> run(Engine& engine, std::span<const Job> jobs,
                             Keep keep = Keep::everything) {
    const auto session = engine.open(model_.program, keep);
    auto results = run_jobs(*session, model_.parameters, jobs);
    EXPECT_TRUE(results) << results.error().message;
    return results ? *std::move(results) : std::vector<JobResult>(jobs.size());
  }
  JobResult run_one(const Plan& plan) {
    const Job job{tokens_, &plan};
    return run(engine_, {&job, 1}).front();
  }
  math::Matrix<const float> rows_of(const Plan& plan, const std::string& name, std::size_t head) {
    last_ = run_one({plan.edits, {name}});
    return last_.recording.at(name, head);
  }

  SmallModel model_ = shaken_model(sequential_layers());
  std::vector<Token> tokens_ = lens::random_tokens(16, run_length);
  Made engine_{2};
  JobResult last_;
};

using Both = testing::Types<CpuEngine, ScalarEngine>;
TYPED_TEST_SUITE(Engines, Both);

TYPED_TEST(Engines, GiveTheLossesAndLogitsOfTheTextbookOfEveryProgram) {
  for (const spec::Case& c : spec::cases(spec::small_sizes)) {
    const spec::Ready ready(c);
    const auto exact = ready.run();
    const double allowed = spec::tolerance<float>(ready).logits + 1e-6 * spec::norm(exact.logits);
    const std::vector<float> parameters = spec::as<float>(ready.parameters);
    struct Logits final : Observer {
      void output(std::size_t, Output& output) override {
        const auto logits = output.logits();
        for (std::size_t t = 0; t < logits.rows; ++t) {
          numbers.insert(numbers.end(), logits.row(t), logits.row(t) + logits.cols);
        }
      }
      spec::Numbers numbers;
    } seen;
    TypeParam engine(1);  // so that the jobs come in their order
    std::vector<Job> jobs;
    for (std::size_t b = 0; b < ready.batch; ++b) {
      jobs.push_back({std::span(ready.tokens).subspan(b * ready.length, ready.length), nullptr});
    }
    const auto session = engine.open(ready.program, Keep::logits);
    ASSERT_TRUE(session->forward(parameters, jobs, seen)) << c.name;
    EXPECT_LE(spec::norm(spec::difference(seen.numbers, exact.logits)), allowed) << c;
  }
}

TYPED_TEST(Engines, GiveTheGradientOfTheTextbookOfEveryProgram) {
  for (const spec::Case& c : spec::cases(spec::small_sizes)) {
    const spec::Ready ready(c);
    const auto exact = ready.run();
    const double allowed =
        spec::tolerance<float>(ready).gradient + 1e-6 * spec::norm(exact.gradient);
    const std::vector<float> parameters = spec::as<float>(ready.parameters);
    std::vector<Job> jobs;
    for (std::size_t b = 0; b < ready.batch; ++b) {
      jobs.push_back({std::span(ready.tokens).subspan(b * ready.length, ready.length), nullptr});
    }
    std::vector<float> gradient(ready.program.buffer_size, 7.0F);  // what was there is forgotten
    std::vector<double> losses(jobs.size());
    const Shard shard{jobs, static_cast<float>(spec::loss_weight), gradient, losses};
    const auto session = this->engine_.open(ready.program, Keep::everything);
    ASSERT_TRUE(session->backward(parameters, {&shard, 1})) << c.name;
    const spec::Numbers found(gradient.begin(), gradient.end());
    EXPECT_LE(spec::norm(spec::difference(found, exact.gradient)), allowed) << c;
    double sum = 0;
    for (const double loss : exact.losses) sum += loss;
    const double mean = sum / static_cast<double>(exact.losses.size());
    double found_mean = 0;
    for (const double loss : losses) found_mean += loss / static_cast<double>(losses.size());
    EXPECT_NEAR(found_mean, mean, 1e-5 * mean) << c.name;
  }
}

// The model is causal: without the predictions from `kept` on, the sequence might as well end there.
TYPED_TEST(Engines, WeighEachPredictionOfAGradient) {
  constexpr std::size_t kept = 5;
  std::vector<float> weights(run_length - 1, 0);
  std::fill_n(weights.begin(), kept, 1.0F);
  const auto gradient_of = [&](const Job& job, float weight) {
    std::vector<float> gradient(this->model_.program.buffer_size);
    double loss = 0;
    const Shard shard{{&job, 1}, weight, gradient, {&loss, 1}};
    const auto session = this->engine_.open(this->model_.program, Keep::everything);
    EXPECT_TRUE(session->backward(this->model_.parameters, {&shard, 1}));
    return std::pair(gradient, loss);
  };
  const std::span<const Token> tokens = this->tokens_;
  const auto [expected, loss] = gradient_of({tokens.first(kept + 1)}, 0.5F);
  const auto [found, same_loss] = gradient_of({tokens, nullptr, weights}, 0.5F);
  EXPECT_NEAR(same_loss, loss, 1e-6);
  for (float& weight : weights) weight *= 2;
  const auto [doubled, mean] = gradient_of({tokens, nullptr, weights}, 0.25F);
  EXPECT_EQ(mean, same_loss);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
    EXPECT_EQ(doubled[i], found[i]) << i;  // powers of two round nothing
  }
}

TYPED_TEST(Engines, GiveEachJobTheSameBitsInWhateverListItStands) {
  const std::vector<Token> others = lens::random_tokens(16, run_length, 2);
  const std::vector<Plan> plans = some_plans();
  std::vector<JobResult> alone;
  alone.reserve(plans.size());
  for (const Plan& plan : plans) alone.push_back(this->run_one(plan));
  for (const std::size_t threads : {1U, 3U}) {
    TypeParam engine(threads);
    for (const Keep keep : {Keep::everything, Keep::logits}) {
      for (std::size_t shift = 0; shift < plans.size(); ++shift) {
        std::vector<Job> jobs;
        std::vector<std::size_t> plan_of;
        for (std::size_t i = 0; i < plans.size(); ++i) {
          if (i % 4 == 3) jobs.push_back({others, &plans[i]}), plan_of.push_back(plans.size());
          plan_of.push_back((i + shift) % plans.size());
          jobs.push_back({this->tokens_, &plans[plan_of.back()]});
        }
        const auto results = this->run(engine, jobs, keep);
        for (std::size_t job = 0; job < jobs.size(); ++job) {
          if (plan_of[job] == plans.size()) continue;
          EXPECT_EQ(results[job].losses, alone[plan_of[job]].losses) << plan_of[job];
        }
      }
    }
  }
  for (std::size_t i = 1; i < plans.size(); ++i) {
    EXPECT_NE(alone[i].losses, alone[0].losses) << i << " changes nothing";
  }
}

TYPED_TEST(Engines, UseNothingOfEarlierParameters) {
  const auto session = this->engine_.open(this->model_.program, Keep::everything);
  const Job job{this->tokens_, nullptr};
  const auto before = run_jobs(*session, this->model_.parameters, {&job, 1});
  for (float& number : this->model_.parameters) number *= 1.25F;
  const auto after = run_jobs(*session, this->model_.parameters, {&job, 1});
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->front().losses, this->run_one({}).losses);
  EXPECT_NE(after->front().losses, before->front().losses);
}

TYPED_TEST(Engines, RecordEveryHeadAsTheEditsLeaveIt) {
  const std::vector<std::string> names{"blocks.0.attn.hook_z", "hook_embed"};
  const JobResult before = this->run_one({{}, names});
  const std::vector<float> sevens(8, 7.0F);
  const JobResult after =
      this->run_one({{set_to("blocks.0.attn.hook_z", 2, {sevens.data(), 1, 8, 8})}, names});
  for (std::size_t head = 0; head < 4; ++head) {
    const auto was = before.recording.at(names[0], head), is = after.recording.at(names[0], head);
    ASSERT_EQ(is.rows, run_length);
    ASSERT_EQ(is.cols, 8U);
    for (std::size_t t = 0; t < run_length; ++t) {
      for (std::size_t i = 0; i < 8; ++i) {
        if (head < 3) {
          EXPECT_EQ(is(t, i), head == 2 ? 7.0F : was(t, i));
        }
      }
    }
  }
  EXPECT_EQ(after.recording.at("hook_embed").cols, 16U);
  EXPECT_EQ(after.recording.at("hook_pos_embed").data, nullptr);
}

TYPED_TEST(Engines, ChangeOnlyWhatLiesInTheFutureOfAnEditedPosition) {
  const std::vector<float> ones(16, 1.0F);
  Edit edit = set_to("blocks.0.hook_resid_pre", std::nullopt, {ones.data(), 1, 16, 16});
  edit.first_row = 3;
  edit.end_row = 4;
  const Losses plain = this->run_one({}).losses, edited = this->run_one({{edit}, {}}).losses;
  for (std::size_t t = 0; t + 1 < run_length; ++t) EXPECT_EQ(edited[t] == plain[t], t < 3) << t;
}

TYPED_TEST(Engines, MakeEveryKindOfEdit) {
  const std::string name = "blocks.0.attn.hook_v";
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6, 7, 8};
  const auto plain = this->run_one({{}, {name, "blocks.0.attn.hook_q"}}).recording;
  const auto v = plain.at(name, 1), q = plain.at("blocks.0.attn.hook_q", 1);
  const auto edited = [&](Edit::Kind kind) {
    Edit edit = edit_of(kind, name.c_str(), 1);
    edit.value = {numbers.data(), 1, 8, 8};
    edit.source = "blocks.0.attn.hook_q";
    edit.first_row = 2;
    if (!edit.has_value()) edit.value = {};
    if (!edit.has_source()) edit.source.clear();
    return this->rows_of({{edit}, {}}, name, 1);
  };
  using Kind = Edit::Kind;
  const auto expect = [&](Kind kind, auto expected) {
    const auto found = edited(kind);
    for (std::size_t t = 0; t < run_length; ++t) {
      for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_FLOAT_EQ(found(t, i), t < 2 ? v(t, i) : expected(t, i)) << static_cast<int>(kind);
      }
    }
  };
  expect(Kind::set, [&](auto, auto i) { return numbers[i]; });
  expect(Kind::zero, [](auto, auto) { return 0.0F; });
  expect(Kind::add, [&](auto t, auto i) { return v(t, i) + numbers[i]; });
  expect(Kind::multiply, [&](auto t, auto i) { return v(t, i) * numbers[i]; });
  expect(Kind::copy, [&](auto t, auto i) { return q(t, i); });
  expect(Kind::hold, [&](auto t, auto i) { return v(t, i); });
  expect(Kind::copy_mean, [&](auto, auto i) {
    double sum = 0;
    for (std::size_t t = 0; t < run_length; ++t) sum += static_cast<double>(q(t, i));
    return static_cast<float>(sum / run_length);
  });
}

TYPED_TEST(Engines, RefuseAPlanTheFirstInTheOrderOfTheJobs) {
  const Plan unknown{{}, {"blocks.0.hook_q_inputs"}}, other{{}, {"nothing"}};
  const std::vector<Job> jobs{
      {this->tokens_, nullptr}, {this->tokens_, &unknown}, {this->tokens_, &other}};
  const auto session = this->engine_.open(this->model_.program, Keep::everything);
  const auto refused = run_jobs(*session, this->model_.parameters, jobs);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "no activation is named 'blocks.0.hook_q_inputs'; the nearest is "
            "'blocks.0.hook_q_input'");
  EXPECT_TRUE(run_jobs(*session, this->model_.parameters, std::span(jobs).first(1)));
}

TYPED_TEST(Engines, RefuseWhatTheProgramCannotRun) {
  const auto session = this->engine_.open(this->model_.program, Keep::everything);
  const auto refuses = [&](std::span<const float> parameters, std::vector<Token> tokens) {
    const Job job{tokens, nullptr};
    return !run_jobs(*session, parameters, {&job, 1});
  };
  const std::span<const float> parameters = this->model_.parameters;
  EXPECT_FALSE(refuses(parameters, this->tokens_));
  EXPECT_TRUE(refuses(parameters.first(parameters.size() - 1), this->tokens_));
  EXPECT_TRUE(refuses(parameters, {1}));
  EXPECT_TRUE(refuses(parameters, {}));
  EXPECT_TRUE(refuses(parameters, std::vector<Token>(run_length + 1)));
  EXPECT_TRUE(refuses(parameters, {0, 16}));
}

TYPED_TEST(Engines, AreStoppedBetweenJobs) {
  const auto session = this->engine_.open(this->model_.program, Keep::logits);
  const std::vector<std::vector<Token>> sequences(64, this->tokens_);
  std::vector<Job> jobs;
  jobs.reserve(sequences.size());
  for (const auto& tokens : sequences) jobs.push_back({tokens, nullptr});
  struct Nobody final : Observer {
    void output(std::size_t, Output&) override {}
  } nobody;
  const Status stopped = session->forward(this->model_.parameters, jobs, nobody,
                                          [](std::size_t, std::size_t) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, base::stopped().message);
}

}  // namespace
}  // namespace lookback::model
