// The float kernels on the machine's vector units. Each does what kernels.h says under its name;
// the instruction set is chosen at run time (targets.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "lookback/math/shapes.h"
#include "lookback/math/view.h"

namespace lookback::math::simd {

void matmul(float alpha, Factor<float> a, Factor<float> b, Matrix<float> c, Update update,
            Part part);

void add(Matrix<const float> x, Matrix<const float> y, Matrix<float> z);
void add_to(Matrix<const float> x, Matrix<float> y);
void add_row(std::span<const float> row, Matrix<float> y);
void add_column_sums(Matrix<const float> x, std::span<float> sums);

void norm_statistics(Norm norm, double epsilon, Matrix<const float> x, std::span<float> mean,
                     std::span<float> scale);
void norm_apply(Matrix<const float> x, std::span<const float> mean, std::span<const float> scale,
                std::span<const float> weight, std::span<const float> bias, Matrix<float> y);
void norm_backward_scale(Matrix<const float> x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> weight,
                         Matrix<const float> dy, std::span<float> d_weight, std::span<float> d_bias,
                         std::span<float> d_scale);
void norm_backward_input(Norm norm, Matrix<const float> x, std::span<const float> mean,
                         std::span<const float> scale, std::span<const float> computed_scale,
                         std::span<const float> weight, Matrix<const float> dy,
                         std::span<const float> d_scale, Matrix<float> dx);

void softmax_causal(Matrix<float> scores, std::size_t first = 0);
void softmax_causal_backward(Matrix<const float> pattern, Matrix<float> gradient);

void gelu(Matrix<const float> x, Matrix<float> y);
void gelu_backward(Matrix<const float> x, Matrix<const float> dy, Matrix<float> dx);

void rotate(Matrix<const float> x, Matrix<const float> cosine, Matrix<const float> sine,
            Rotation rotation, Update update, Matrix<float> y);

void smear(float s, Matrix<const float> x, Matrix<float> y);
float smear_backward(float s, Matrix<const float> x, Matrix<const float> dy, Matrix<float> dx);

void cross_entropy(Matrix<const float> logits, std::span<const std::uint32_t> targets,
                   std::span<float> losses);
void cross_entropy_gradient(float weight, Matrix<float> logits,
                            std::span<const std::uint32_t> targets, std::span<float> losses);

/// One AdamW step on a span of parameters: gradient clipping, both moments, bias correction,
/// decoupled decay and the update in one pass. All spans have the same length.
void adamw(const AdamW& update, std::span<float> parameters, std::span<const float> gradient,
           std::span<float> first_moment, std::span<float> second_moment);

/// Sum of squares, in double, in a fixed order.
double sum_of_squares(std::span<const float> values);

/// total += addend, elementwise: gradients of shards are summed with it in a fixed order.
void add_to(std::span<const float> addend, std::span<float> total);

}  // namespace lookback::math::simd
