#include "lookback/model/recording.h"

#include <algorithm>

#include "lookback/base/require.h"

namespace lookback::model {
namespace {

template <class N>
void add_to(NamedMatrices<double>& sums, const NamedMatrices<N>& terms) {
  terms.for_each([&](const std::string& name, std::size_t head, math::Matrix<const N> term) {
    const math::Matrix<double> sum = sums.make(name, head, term.rows, term.cols);
    LOOKBACK_REQUIRE(sum.rows == term.rows && sum.cols == term.cols);
    for (std::size_t r = 0; r < term.rows; ++r) {
      for (std::size_t c = 0; c < term.cols; ++c) sum(r, c) += static_cast<double>(term(r, c));
    }
  });
}

}  // namespace

template <class N>
math::Matrix<const N> NamedMatrices<N>::at(const std::string& name, std::size_t head) const {
  const auto found = kept_.find({name, head});
  return found == kept_.end() ? math::Matrix<const N>{} : found->second.view();
}

template <class N>
math::Matrix<N> NamedMatrices<N>::make(const std::string& name, std::size_t head, std::size_t rows,
                                       std::size_t cols) {
  Kept& kept = kept_[{name, head}];
  if (kept.numbers.empty()) kept = {rows, cols, std::vector<N>(rows * cols)};
  return {kept.numbers.data(), kept.rows, kept.cols, kept.cols};
}

template <class N>
void NamedMatrices<N>::put(std::string_view name, std::size_t head, math::Matrix<const N> x) {
  const math::Matrix<N> kept = make(std::string(name), head, x.rows, x.cols);
  for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(x.row(r), x.cols, kept.row(r));
}

template <class N>
std::size_t NamedMatrices<N>::bytes() const {
  std::size_t numbers = 0;
  for (const auto& [key, kept] : kept_) numbers += kept.numbers.size();
  return numbers * sizeof(N);
}

template class NamedMatrices<float>;
template class NamedMatrices<double>;

void RecordingSum::add(const Recording& recording) {
  add_to(sums_, recording);
  ++count_;
}

void RecordingSum::add(const RecordingSum& other) {
  add_to(sums_, other.sums_);
  count_ += other.count_;
}

Recording RecordingSum::mean() const {
  LOOKBACK_REQUIRE(count_ > 0);
  Recording result;
  sums_.for_each([&](const std::string& name, std::size_t head, math::Matrix<const double> sum) {
    const math::Matrix<float> mean = result.make(name, head, sum.rows, sum.cols);
    for (std::size_t r = 0; r < sum.rows; ++r) {
      for (std::size_t c = 0; c < sum.cols; ++c) {
        mean(r, c) = static_cast<float>(sum(r, c) / static_cast<double>(count_));
      }
    }
  });
  return result;
}

}  // namespace lookback::model
