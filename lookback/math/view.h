// Views of memory that someone else owns: no allocation, no bounds checks in release.
#pragma once

#include <cstddef>
#include <type_traits>

namespace lookback::math {

/// A row-major matrix in memory that someone else owns: element (r, c) is at data[r * stride + c].
template <class T>
struct Matrix {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;  ///< elements from one row to the next, >= cols

  T* row(std::size_t r) const { return data + r * stride; }
  T& operator()(std::size_t r, std::size_t c) const { return data[r * stride + c]; }

  /// `count` columns from `first` on: a view of one head of a [T, H*E] activation.
  Matrix columns(std::size_t first, std::size_t count) const {
    return {data + first, rows, count, stride};
  }
  /// `count` rows from `first` on: a view of one sequence of a [B*T, D] activation.
  Matrix row_block(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, cols, stride};
  }
  operator Matrix<const T>() const requires(!std::is_const_v<T>) {
    return {data, rows, cols, stride};
  }
};

/// A read-only factor of a product: a matrix or, with its strides exchanged, its transpose.
template <class T>
struct Factor {
  const T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t row_stride = 0;
  std::size_t col_stride = 1;

  Factor() = default;
  Factor(const T* d, std::size_t r, std::size_t c, std::size_t rs, std::size_t cs)
      : data(d), rows(r), cols(c), row_stride(rs), col_stride(cs) {}
  Factor(Matrix<const T> m) : data(m.data), rows(m.rows), cols(m.cols), row_stride(m.stride) {}
  Factor(Matrix<T> m) requires(!std::is_const_v<T>)
      : data(m.data), rows(m.rows), cols(m.cols), row_stride(m.stride) {}

  const T& operator()(std::size_t r, std::size_t c) const {
    return data[r * row_stride + c * col_stride];
  }
  Factor transposed() const { return {data, cols, rows, col_stride, row_stride}; }
};

}  // namespace lookback::math
