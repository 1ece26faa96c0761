// What the kernels' tests share: matrices with gaps between their rows, and error bounds.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "lookback/math/targets.h"
#include "lookback/math/view.h"

namespace lookback::math::testing {

/// What lies between rows: a value that shows in every result it slips into.
inline constexpr float gap_value = std::numeric_limits<float>::infinity();

/// A matrix with its own memory, [rows, cols] with `gap` elements between rows and none after the
/// last, so that the address sanitizer sees a read beyond the end.
template <class N>
class Grid {
 public:
  Grid(std::size_t rows, std::size_t cols, std::size_t gap = 0)
      : rows_(rows), cols_(cols), stride_(cols + gap) {
    values_.assign(rows == 0 ? 0 : rows * stride_ - gap, static_cast<N>(gap_value));
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) view()(r, c) = N{};
    }
  }
  /// The same numbers, with the same gaps, in another type.
  template <class Other>
  explicit Grid(const Grid<Other>& other)
      : rows_(other.rows()), cols_(other.cols()), stride_(other.stride()) {
    for (const Other value : other.values()) values_.push_back(static_cast<N>(value));
  }

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  std::size_t stride() const { return stride_; }
  const std::vector<N>& values() const { return values_; }

  Matrix<N> view() { return {values_.data(), rows_, cols_, stride_}; }
  Matrix<const N> view() const { return {values_.data(), rows_, cols_, stride_}; }
  N operator()(std::size_t r, std::size_t c) const { return values_[r * stride_ + c]; }

  /// The same memory seen as the transpose.
  Factor<N> transposed() const { return Factor<N>(view()).transposed(); }

  void expect_gaps_untouched() const {
    for (std::size_t r = 0; r + 1 < rows_; ++r) {
      for (std::size_t c = cols_; c < stride_; ++c) {
        ASSERT_EQ(values_[r * stride_ + c], static_cast<N>(gap_value)) << "row " << r;
      }
    }
  }

 private:
  std::size_t rows_;
  std::size_t cols_;
  std::size_t stride_;
  std::vector<N> values_;
};

/// Numbers for tests, the same in every run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  std::size_t index(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_);
  }
  template <class N = float>
  Grid<N> grid(std::size_t rows, std::size_t cols, std::size_t gap = 0, double bound = 1) {
    Grid<N> result(rows, cols, gap);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        result.view()(r, c) = static_cast<N>(uniform(-bound, bound));
      }
    }
    return result;
  }
  template <class N = float>
  std::vector<N> values(std::size_t count, double low = -1, double high = 1) {
    std::vector<N> result(count);
    for (N& value : result) value = static_cast<N>(uniform(low, high));
    return result;
  }

 private:
  std::mt19937_64 engine_;
};

/// Sizes at and around the lengths of vectors, tiles and blocks, the degenerate ones first.
inline constexpr std::array<std::size_t, 14> odd_sizes = {0,  1,  2,  3,  5,  7,  8,
                                                          15, 16, 17, 31, 33, 64, 129};

template <class To, class From>
std::vector<To> converted(const std::vector<From>& values) {
  std::vector<To> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(),
                 [](From value) { return static_cast<To>(value); });
  return result;
}

/// The unit roundoff of float: a rounded operation is off by at most this part of its result.
inline constexpr double unit_roundoff = 0x1p-24;

/// The vector exponential gives nothing smaller than exp(-87.3).
inline constexpr double smallest_exponential = 1.22e-38;

/// n roundings one after the other: gamma_n = n u / (1 - n u) (Higham 2002, section 3.1).
inline double gamma(double roundings) {
  return roundings * unit_roundoff / (1 - roundings * unit_roundoff);
}
inline double gamma(std::size_t roundings) { return gamma(static_cast<double>(roundings)); }

/// Every element of `result` lies within tolerance(r, c) of the reference's; gaps are untouched.
inline void expect_near(const Grid<float>& result, const Grid<double>& reference,
                        const std::function<double(std::size_t, std::size_t)>& tolerance) {
  for (std::size_t r = 0; r < result.rows(); ++r) {
    for (std::size_t c = 0; c < result.cols(); ++c) {
      ASSERT_NEAR(result(r, c), reference(r, c), tolerance(r, c)) << "at " << r << ", " << c;
    }
  }
  result.expect_gaps_untouched();
}

inline void expect_near(const std::vector<float>& result, const std::vector<double>& reference,
                        const std::function<double(std::size_t)>& tolerance) {
  ASSERT_EQ(result.size(), reference.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    ASSERT_NEAR(result[i], reference[i], tolerance(i)) << "at " << i;
  }
}

/// A test for each instruction set of this machine.
class OnEachInstructionSet : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    before_ = active_instruction_set();
    ASSERT_TRUE(select_instruction_set(GetParam()));
    ASSERT_EQ(active_instruction_set(), GetParam());
  }
  void TearDown() override { ASSERT_TRUE(select_instruction_set(before_)); }

 private:
  std::string before_;
};

inline auto each_instruction_set() { return ::testing::ValuesIn(available_instruction_sets()); }
inline std::string name_of(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace lookback::math::testing
