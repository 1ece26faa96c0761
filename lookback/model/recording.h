// Activations of one run, copied by name; and their means over runs.
//
// Legend: T positions.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lookback/math/view.h"

namespace lookback::model {

/// Numbers of type N by (name of an activation, head of its layer over all steps). The head is 0
/// where an activation has none.
template <class N>
class NamedMatrices {
 public:
  /// [T,width]; an empty matrix if it is not recorded.
  math::Matrix<const N> at(const std::string& name, std::size_t head = 0) const;
  /// The same; created as zeros [rows,cols] if it is not recorded.
  math::Matrix<N> make(const std::string& name, std::size_t head, std::size_t rows,
                       std::size_t cols);

  /// Keeps a copy of x [T,width]; a later one replaces an earlier one.
  void put(std::string_view name, std::size_t head, math::Matrix<const N> x);

  std::size_t bytes() const;  ///< that the numbers take

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [key, kept] : kept_) visit(key.first, key.second, kept.view());
  }

 private:
  struct Kept {
    std::size_t rows = 0;
    std::size_t cols = 0;
    std::vector<N> numbers;
    math::Matrix<const N> view() const { return {numbers.data(), rows, cols, cols}; }
  };
  std::map<std::pair<std::string, std::size_t>, Kept> kept_;
};

/// What one run had, or the means over runs.
using Recording = NamedMatrices<float>;

/// Sums of recordings, in double, so that the mean of a constant is that constant.
class RecordingSum {
 public:
  /// REQUIRES that every recording has the same names and shapes.
  void add(const Recording& recording);
  void add(const RecordingSum& other);
  /// The sums divided by the number of recordings added. REQUIRES that one was.
  Recording mean() const;

 private:
  NamedMatrices<double> sums_;
  std::size_t count_ = 0;
};

}  // namespace lookback::model
