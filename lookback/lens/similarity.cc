#include "lookback/lens/similarity.h"

#include <algorithm>
#include <cmath>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

double dot(const float* x, const float* y, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return sum;
}

/// Numbers in the rows 0 .. rows - 1 of a lower triangle.
std::size_t triangle_size(std::size_t rows) { return rows * (rows + 1) / 2; }

}  // namespace

HeadSimilarity::HeadSimilarity(std::size_t heads, std::size_t length)
    : heads_(heads),
      length_(length),
      triangles_((std::max<std::size_t>(heads, 1) - 1) * triangle_size(length)),
      inverse_norms_(heads * length) {
  LOOKBACK_REQUIRE(heads >= 1 && length >= 2);
}

void HeadSimilarity::start() {
  added_ = 0;
  pairs_.clear();
}

void HeadSimilarity::add(math::Matrix<const float> pattern) {
  LOOKBACK_REQUIRE(added_ < heads_ && pattern.rows == length_ && pattern.cols == length_);
  for (std::size_t t = 0; t < length_; ++t) {
    const double squares = dot(pattern.row(t), pattern.row(t), t + 1);
    inverse_norms_[added_ * length_ + t] = squares == 0 ? 0 : 1 / std::sqrt(squares);
  }
  for (std::size_t other = 0; other < added_; ++other) pairs_.push_back(compare(pattern, other));
  if (added_ + 1 < heads_) {
    float* kept = triangles_.data() + added_ * triangle_size(length_);
    for (std::size_t t = 0; t < length_; ++t) {
      std::copy_n(pattern.row(t), t + 1, kept + triangle_size(t));
    }
  }
  ++added_;
}

double HeadSimilarity::compare(math::Matrix<const float> pattern, std::size_t other) const {
  const float* kept = triangles_.data() + other * triangle_size(length_);
  const double* norms = inverse_norms_.data() + added_ * length_;
  const double* other_norms = inverse_norms_.data() + other * length_;
  double sum = 0;
  for (std::size_t t = 1; t < length_; ++t) {
    sum += dot(pattern.row(t), kept + triangle_size(t), t + 1) * norms[t] * other_norms[t];
  }
  return sum / static_cast<double>(length_ - 1);
}

}  // namespace lookback::lens
