// Slices of the parameter buffer, the norm over them and what clipping does by it.
#include "lookback/train/slices.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/train/steps.h"

namespace lookback::train {
namespace {

TEST(Slices, CoverEveryParameterOnceAndNoGap) {
  model::Architecture architecture = spec::small_architecture();
  architecture.vocabulary = 5000;  // W_E has 80,000 numbers: several slices
  const model::Program program = spec::compiled(architecture);
  std::vector<int> covered(program.buffer_size);
  for (const Slice& slice : cut_into_slices(program)) {
    const model::ParameterInfo& info = program.parameters[slice.parameter];
    EXPECT_GE(slice.offset, info.offset);
    EXPECT_LE(slice.offset + slice.size, info.offset + info.size());
    for (int& number : slice.of(std::span(covered))) ++number;
  }
  std::vector<int> expected(program.buffer_size);
  for (const model::ParameterInfo& info : program.parameters) {
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(info.offset), info.size(), 1);
  }
  EXPECT_EQ(covered, expected);
}

TEST(GradientNorm, IsEuclideanWithTheSameBitsOnAnyNumberOfWorkersAndEveryInstructionSet) {
  const model::Program program = spec::program_with_everything();
  const std::vector<float> gradient = spec::random_gradient(program, 1, 0.01);
  const std::vector<Slice> slices = cut_into_slices(program);
  double sum = 0;
  for (const double g : gradient) sum += g * g;
  base::Workers alone(1);
  const double norm = gradient_norm(slices, gradient, alone);
  EXPECT_NEAR(norm, std::sqrt(sum), 1e-12 * norm);
  spec::on_every_instruction_set([&] {
    for (const std::size_t threads : {1U, 2U, 3U, 8U}) {
      base::Workers workers(threads);
      EXPECT_EQ(std::bit_cast<std::uint64_t>(gradient_norm(slices, gradient, workers)),
                std::bit_cast<std::uint64_t>(norm));
    }
  });
}

TEST(GradientNorm, IsNotFiniteWhereTheGradientIsNot) {
  const model::Program program = spec::small_program();
  base::Workers workers(2);
  for (const float bad : {NAN, -INFINITY}) {
    std::vector<float> gradient = spec::random_gradient(program, 1, 0.01);
    gradient[program.parameters.back().offset] = bad;
    EXPECT_FALSE(std::isfinite(gradient_norm(cut_into_slices(program), gradient, workers)));
  }
}

TEST(Clipping, BringsALargerNormDownToTheClipAndLeavesAnyOther) {
  EXPECT_EQ(clipping_scale(4, 1), 0.25);
  EXPECT_EQ(clipping_scale(4, 4), 1);
  EXPECT_EQ(clipping_scale(0.5, 1), 1);
  EXPECT_EQ(clipping_scale(0, 1), 1);
}

TEST(Clipping, OfZeroMeansNone) { EXPECT_EQ(clipping_scale(1e9, 0), 1); }

}  // namespace
}  // namespace lookback::train
