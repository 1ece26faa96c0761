// Attention patterns and sequences made by hand, for the tests of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "lookback/base/random.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/math/view.h"

namespace lookback::lens {

/// A pattern [T,T] in memory of its own, zero until filled.
class OwnPattern {
 public:
  explicit OwnPattern(std::size_t length) : length_(length), weights_(length * length) {}

  float& operator()(std::size_t t, std::size_t s) { return weights_[t * length_ + s]; }
  math::Matrix<const float> view() const { return {weights_.data(), length_, length_, length_}; }
  std::size_t length() const { return length_; }

 private:
  std::size_t length_;
  std::vector<float> weights_;
};

/// Every query t gives all its attention to source(t).
inline OwnPattern looking_at(std::size_t length,
                             const std::function<std::size_t(std::size_t)>& source) {
  OwnPattern pattern(length);
  for (std::size_t t = 0; t < length; ++t) pattern(t, source(t)) = 1.0F;
  return pattern;
}

inline OwnPattern uniform_pattern(std::size_t length) {
  OwnPattern pattern(length);
  for (std::size_t t = 0; t < length; ++t) {
    for (std::size_t s = 0; s <= t; ++s) pattern(t, s) = 1.0F / static_cast<float>(t + 1);
  }
  return pattern;
}

/// Random rows that sum to 1 up to rounding.
inline OwnPattern random_pattern(std::size_t length, std::uint64_t index) {
  base::RandomStream stream(11, base::StreamPurpose::test, index);
  OwnPattern pattern(length);
  for (std::size_t t = 0; t < length; ++t) {
    std::vector<double> row(t + 1);
    double sum = 0;
    for (double& weight : row) sum += weight = stream.uniform() + 0.01;
    for (std::size_t s = 0; s <= t; ++s) pattern(t, s) = static_cast<float>(row[s] / sum);
  }
  return pattern;
}

/// Copies of a block; and of four different tokens, three times: x_t = t mod 4.
inline data::Structure blocks(std::size_t length, std::size_t period,
                              std::vector<std::size_t> starts) {
  return data::BlockStructure{length, period, std::move(starts)}.plain();
}
inline data::Structure three_copies_of_four() { return blocks(12, 4, {0, 4, 8}); }
inline std::vector<data::Token> tokens_mod(std::size_t length, std::size_t period) {
  std::vector<data::Token> tokens;
  for (std::size_t t = 0; t < length; ++t) tokens.push_back(static_cast<data::Token>(t % period));
  return tokens;
}

/// A small probe; few tokens, so that a token often occurs twice in a block.
inline std::unique_ptr<data::BlockSource> small_probe(data::BlockKind kind,
                                                      std::size_t length = 48) {
  data::BlockTask task;
  task.kind = kind;
  task.vocabulary = 16;
  task.length = length;
  task.min_period = 4;
  task.max_period = 8;
  task.seed = 3;
  task.purpose = base::StreamPurpose::probe;
  auto source = data::make_block_source(task);
  return source ? std::move(*source) : nullptr;
}

}  // namespace lookback::lens
