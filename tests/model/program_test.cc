// What an architecture compiles to: its parameters, how many, where they lie, how they start, and
// what a run of them costs.
#include "lookback/model/program.h"

#include <gtest/gtest.h>

#include <set>

#include "lookback/model/flops.h"
#include "tests/model/gpt2_small.h"
#include "tests/model/running.h"

namespace lookback::model::spec {
namespace {

TEST(ParameterCount, OfGpt2SmallWithRotaryPositionsIsTheArticles) {
  Architecture a = gpt2_small();
  EXPECT_EQ(compiled(a).parameter_count(), 123'653'376U);
  a.no_ov = true;
  EXPECT_EQ(compiled(a).parameter_count(), 109'479'168U);
  a.no_ov_value = NoOvValue::after_rotation;
  EXPECT_EQ(compiled(a).parameter_count(), 109'479'168U);
}

TEST(ParameterCount, OfTheThreeSetupsFollowsFromTheirShapes) {
  const std::size_t V = 256, T = 256, D = 128, E = 64;
  const Sizes sizes{V, T, D, E, 0};
  const std::size_t embeddings = V * D + T * D + D * V;
  const std::size_t head = 3 * D * E + E * D;
  const std::size_t layernorm = 2 * D;
  EXPECT_EQ(compiled(two_layer(sizes)).parameter_count(), embeddings + 2 * head + 3 * layernorm);
  EXPECT_EQ(compiled(parallel(sizes)).parameter_count(), embeddings + 2 * head + 2 * layernorm);
  EXPECT_EQ(compiled(sequential(sizes)).parameter_count(), embeddings + 2 * head + 2 * layernorm);
}

TEST(ParameterCount, GrowsWithEachOptionByItsTensors) {
  const Sizes sizes = small_sizes;
  const std::size_t D = sizes.d_model, E = sizes.d_head, M = 10;
  const auto added = [&](auto change) {
    Architecture a = sequential(sizes);
    a.heads = 2;
    const auto before = static_cast<std::ptrdiff_t>(compiled(a).parameter_count());
    change(a);
    return static_cast<std::ptrdiff_t>(compiled(a).parameter_count()) - before;
  };
  const auto count = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  EXPECT_EQ(added([](Architecture& a) { a.shared_weights = true; }), -count(4 * 2 * D * E));
  EXPECT_EQ(added([](Architecture& a) { a.norm_between = NormKind::layernorm; }), count(2 * D));
  EXPECT_EQ(added([](Architecture& a) { a.norm_between = NormKind::rmsnorm; }), count(D));
  EXPECT_EQ(added([](Architecture& a) { a.norm = NormKind::none; }), -count(2 * D));
  EXPECT_EQ(added([](Architecture& a) { a.layers_without_norm = {0}; }), -count(2 * D));
  EXPECT_EQ(added([](Architecture& a) { a.final_norm = NormKind::rmsnorm; }), -count(D));
  EXPECT_EQ(added([](Architecture& a) { a.positions = Positions::none; }),
            -count(sizes.context * D));
  EXPECT_EQ(added([](Architecture& a) { a.positions = Positions::shortformer; }), 0);
  EXPECT_EQ(added([](Architecture& a) { a.biases = true; }), count(2 * (3 * 2 * E + D)));
  EXPECT_EQ(added([&](Architecture& a) { a.d_mlp = M; }), count(2 * D * M + 2 * D));
  EXPECT_EQ(added([](Architecture& a) { a.tied_embeddings = true; }), -count(D * sizes.vocabulary));
  EXPECT_EQ(added([](Architecture& a) { a.smeared_keys = true; }), count(2 * 2));
}

class Layout : public ::testing::TestWithParam<Case> {};

TEST_P(Layout, TensorsLieInOrderAlignedAndApart) {
  const Program program = compiled(GetParam().architecture);
  std::set<std::string> names;
  std::size_t end = 0;
  for (const ParameterInfo& info : program.parameters) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " twice";
    EXPECT_GE(info.offset, end) << info.name;
    EXPECT_LT(info.offset, end + 16) << info.name;
    EXPECT_EQ(info.offset * sizeof(float) % 64, 0U) << info.name;
    EXPECT_EQ(info.matrix, info.start == ParameterInfo::Start::normal) << info.name;
    EXPECT_EQ(program.find_parameter(info.name), &info);
    end = info.offset + info.size();
  }
  EXPECT_GE(program.buffer_size, end);
  EXPECT_EQ(program.find_parameter("blocks.0.attn.W_X"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Model, Layout, ::testing::ValuesIn(cases(small_sizes)),
                         [](const auto& instance) { return instance.param.name; });

// --- initialize()

/// A model with every kind of tensor, each of thousands of numbers.
Architecture large() {
  Architecture a = two_layer({256, 200, 96, 32, 0});
  a.steps = 2;
  a.heads = 2;
  a.d_mlp = 120;
  a.biases = true;
  a.smeared_keys = true;
  a.norm_between = NormKind::rmsnorm;
  a.initialization = {0.3, 0.2, true, 1.5, 0.5, false};
  return a;
}

/// What Initialization's comment promises, read from the tensor's name.
double expected_deviation(const std::string& name, const Architecture& a) {
  const Initialization& start = a.initialization;
  if (name.ends_with("W_E")) return start.embedding;
  if (name.ends_with("W_pos")) return start.position;
  const bool to_stream = name.ends_with("W_O") || name.ends_with("W_out");
  double deviation = to_stream ? start.residual_gain : start.gain;
  if (to_stream && start.depth_scaled) {
    deviation /= std::sqrt(2.0 * static_cast<double>(a.layers));
  }
  const std::size_t inputs = name.ends_with("W_O")     ? a.d_head
                             : name.ends_with("W_out") ? a.d_mlp
                                                       : a.d_model;
  return start.fan_in ? deviation / std::sqrt(static_cast<double>(inputs)) : deviation;
}

/// n draws of N(0, s) have a mean of deviation s / sqrt(n) and a variance of relative deviation
/// sqrt(2 / n): six of these are exceeded by chance once in 10^9 tensors.
void expect_normal(const std::vector<float>& buffer, const ParameterInfo& info, double deviation) {
  const auto n = static_cast<double>(info.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < info.size(); ++i) {
    const double x = buffer[info.offset + i];
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0, 6 * deviation / std::sqrt(n)) << info.name;
  EXPECT_NEAR(squares / n / (deviation * deviation), 1, 6 * std::sqrt(2 / n)) << info.name;
}

void expect_promised_start(const Architecture& a) {
  const Program program = compiled(a);
  const std::vector<float> buffer = initialize(program, 5);
  ASSERT_EQ(buffer.size(), program.buffer_size);
  for (const ParameterInfo& info : program.parameters) {
    if (info.matrix) {
      expect_normal(buffer, info, expected_deviation(info.name, a));
      continue;
    }
    const bool norm_weight = info.name.ends_with(".w");
    for (std::size_t i = 0; i < info.size(); ++i) {
      EXPECT_EQ(buffer[info.offset + i], norm_weight ? 1.0F : 0.0F) << info.name;
    }
  }
}

TEST(HiddenMaps, AreEachHeadsBlocksAndAnMlpsMatrices) {
  Architecture a = two_layer(small_sizes);
  a.heads = 3;
  a.d_mlp = 10;
  a.biases = true;
  const std::size_t D = small_sizes.d_model, E = small_sizes.d_head;
  const Program program = compiled(a);
  using Shape = std::pair<std::size_t, std::size_t>;
  const auto map_of = [&](const char* name) {
    const ParameterInfo* info = program.find_parameter(name);
    return info == nullptr ? Shape(99, 99) : Shape(info->map_rows, info->map_cols);
  };
  for (const char* name : {"blocks.0.attn.W_Q", "blocks.1.attn.W_K", "blocks.0.attn.W_V"}) {
    EXPECT_EQ(map_of(name), Shape(D, E)) << name;
  }
  EXPECT_EQ(map_of("blocks.1.attn.W_O"), Shape(E, D));
  EXPECT_EQ(map_of("blocks.0.mlp.W_in"), Shape(D, 10));
  EXPECT_EQ(map_of("blocks.0.mlp.W_out"), Shape(10, D));
  for (const char* name : {"embed.W_E", "pos_embed.W_pos", "unembed.W_U", "ln_final.w",
                           "blocks.0.attn.b_Q", "blocks.0.mlp.b_in"}) {
    EXPECT_EQ(map_of(name), Shape(0, 0)) << name;
  }
}

TEST(HiddenMaps, TileTheirMatrix) {
  Architecture a = sequential(small_sizes);
  a.heads = 2;
  a.d_mlp = 10;
  for (const ParameterInfo& info : compiled(a).parameters) {
    EXPECT_TRUE(info.matrix || !info.is_hidden()) << info.name;
    if (!info.is_hidden()) continue;
    EXPECT_EQ(info.rows % info.map_rows, 0U) << info.name;
    EXPECT_EQ(info.cols % info.map_cols, 0U) << info.name;
  }
}

TEST(Initialize, DrawsMatricesAsPromisedNormsAtOneAndBiasesAtZero) {
  Architecture a = large();
  expect_promised_start(a);
  a.initialization.depth_scaled = true;
  expect_promised_start(a);
  a.initialization.fan_in = false;
  expect_promised_start(a);
}

TEST(Initialize, OfZeroDeviationIsZero) {
  Architecture a = large();
  a.initialization.gain = 0;
  const Program program = compiled(a);
  const std::vector<float> buffer = initialize(program, 5);
  const ParameterInfo& info = *program.find_parameter("unembed.W_U");
  for (std::size_t i = 0; i < info.size(); ++i) EXPECT_EQ(buffer[info.offset + i], 0.0F);
}

TEST(Initialize, IsAPureFunctionOfProgramAndSeed) {
  const Program program = compiled(large());
  EXPECT_EQ(initialize(program, 5), initialize(compiled(large()), 5));
  EXPECT_NE(initialize(program, 5), initialize(program, 6));
}

TEST(Initialize, DrawsEveryTensorFromAStreamOfItsOwn) {
  const Program program = compiled(large());
  const std::vector<float> buffer = initialize(program, 5);
  const ParameterInfo& first = *program.find_parameter("blocks.0.steps.0.attn.W_Q");
  for (const ParameterInfo& other : program.parameters) {
    if (!other.matrix || &other == &first) continue;
    // The correlation of n independent pairs has deviation 1 / sqrt(n).
    const std::size_t n = std::min(first.size(), other.size());
    double product = 0;
    for (std::size_t i = 0; i < n; ++i) {
      product += static_cast<double>(buffer[first.offset + i]) / first.deviation *
                 static_cast<double>(buffer[other.offset + i]) / other.deviation;
    }
    EXPECT_NEAR(product / static_cast<double>(n), 0, 6 / std::sqrt(static_cast<double>(n)))
        << other.name;
  }
}

// --- useful_flops()

TEST(UsefulFlops, CountTheProductsOfTheTwoLayerModelAndOnlyTheCausalHalfOfAttention) {
  const double T = 8, D = 12, E = 4, V = 7, M = 10;
  Architecture a = two_layer(small_sizes);
  const double head = 4 * 2 * T * D * E + 2 * (2 * E) * T * (T + 1) / 2;
  const double unembedding = 2 * T * D * V;
  Flops flops = useful_flops(compiled(a), 8);
  EXPECT_EQ(flops.forward, 2 * head + unembedding);
  EXPECT_EQ(flops.backward, 2 * flops.forward);
  EXPECT_EQ(flops.total(), 3 * flops.forward);

  a.d_mlp = 10;
  a.tied_embeddings = true;  // ties save memory, not work
  flops = useful_flops(compiled(a), 8);
  EXPECT_EQ(flops.forward, 2 * (head + 2 * 2 * T * D * M) + unembedding);
}

TEST(UsefulFlops, CountSharedWeightsAtEachUseAndNoValueOfHeadsWithoutOv) {
  const double T = 5, D = 12, E = 6, V = 7;
  Architecture a = sequential(small_sizes);
  a.shared_weights = true;
  a.heads = 2;
  a.d_head = 6;
  const double products = 2 * T * D * E;
  const double attention = 2 * (2 * E) * T * (T + 1) / 2;
  EXPECT_EQ(useful_flops(compiled(a), 5).forward, 4 * (4 * products + attention) + 2 * T * D * V);
  a.no_ov = true;
  EXPECT_EQ(useful_flops(compiled(a), 5).forward, 4 * (2 * products + attention) + 2 * T * D * V);
}

}  // namespace
}  // namespace lookback::model::spec
