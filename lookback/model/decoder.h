// Generation: a program over tokens that come one after another. What the past left behind, keys and
// values of every head, is kept, so that a new token costs its own row of each step and no more.
//
// Legend: T positions, V tokens, E width of a head.
#pragma once

#include <cstddef>
#include <span>

#include "lookback/base/require.h"
#include "lookback/model/run.h"

namespace lookback::model {

/// One sequence that grows: each call runs the program's steps on the rows of its tokens, and those that
/// look back read the rows that earlier calls left behind. Not thread-safe. The program must outlive it.
/// N is float, double or std::complex<double>.
template <class N>
class Decoder {
 public:
  explicit Decoder(const Program& program);

  /// Appends `tokens` and returns the logits [V] after the last of them, valid until the next call:
  /// those of an Executor over the whole sequence, up to rounding. REQUIRES at least one token, each
  /// below V, no more than room(), and the same `parameters` (the flat buffer) as in earlier calls.
  std::span<const N> feed(std::span<const N> parameters, std::span<const Token> tokens);

  /// Tokens fed so far, and how many more the program's context allows.
  std::size_t size() const { return size_; }
  std::size_t room() const { return run_.program().architecture.context - size_; }

  /// Forgets all tokens but the first `size`. REQUIRES size <= this->size().
  void rewind(std::size_t size) {
    LOOKBACK_REQUIRE(size <= size_);
    size_ = size;
  }

 private:
  Run<N> run_;  ///< of one block: its length is the block's
  std::size_t size_ = 0;
};

}  // namespace lookback::model
