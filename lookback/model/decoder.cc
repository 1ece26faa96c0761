#include "lookback/model/decoder.h"

#include <algorithm>
#include <complex>

#include "lookback/base/require.h"
#include "lookback/model/executor.h"

namespace lookback::model {
namespace {

/// A prompt is fed in blocks of so many tokens: enough for the products to be fast, few enough for
/// their activations to stay in cache.
constexpr std::size_t block_tokens = 64;

}  // namespace

template <class N>
Decoder<N>::Decoder(const Program& program)
    : run_(program, 1, std::min(block_tokens, program.architecture.context), Keep::past) {}

template <class N>
std::span<const N> Decoder<N>::feed(std::span<const N> parameters, std::span<const Token> tokens) {
  LOOKBACK_REQUIRE(!tokens.empty() && tokens.size() <= room());
  LOOKBACK_REQUIRE(std::ranges::max(tokens) < run_.program().architecture.vocabulary);
  run_.parameters = parameters;
  while (!tokens.empty()) {
    run_.first = size_;
    run_.length = std::min(block_tokens, tokens.size());
    run_.tokens = tokens.first(run_.length);
    run_steps(run_);
    size_ += run_.length;
    tokens = tokens.subspan(run_.length);
  }
  const Matrix<N> logits = run_.value(run_.program().logits);
  return {logits.row(logits.rows - 1), logits.cols};
}

template class Decoder<float>;
template class Decoder<double>;
template class Decoder<std::complex<double>>;

}  // namespace lookback::model
