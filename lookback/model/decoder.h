// Generation: a program over tokens that come one after another. What the past left behind, keys and
// values of every head, is kept, so that a new token costs its own row of each step and no more.
//
// Legend: T positions, V tokens, E width of a head.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/model/run.h"

namespace lookback::model {

/// One sequence that grows. The steps are the program's own, run on the rows of the new tokens; those
/// that look back read the kept rows of earlier ones. Not thread-safe. The program must outlive it.
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
  std::size_t room() const { return run_.program.architecture.context - size_; }

  /// Forgets all tokens but the first `size`. REQUIRES size <= this->size().
  void rewind(std::size_t size) {
    LOOKBACK_REQUIRE(size <= size_);
    size_ = size;
  }

 private:
  void feed_block(std::span<const Token> tokens);
  Matrix<N> past(SlotId slot);
  void remember(SlotId slot);
  void make_room(std::size_t positions);

  // The steps, on the rows of the block at hand, positions size_ .. size_ + run_.length - 1.
  template <class Step>
  void step(const Step& same_for_every_position);
  void step(const Position& position);
  void step(const Linear& linear);
  void step(const Smear& smear);
  void step(const Rotate& rotate);
  void step(const Scores& scores);
  void step(const Softmax& softmax);
  void step(const Mix& mix);
  Matrix<N> attention(std::size_t head);

  Run<N> run_;  ///< of one block: its length is the block's
  std::size_t size_ = 0;
  std::size_t allocated_ = 0;                 ///< positions that past_ has memory for
  std::vector<base::AlignedVector<N>> past_;  ///< by slot: [allocated_, width], empty if not kept
  base::AlignedVector<N> attention_;          ///< [H, block, past and block]: scores, then pattern
  std::vector<N> smeared_;                    ///< [block + 1, E]
};

}  // namespace lookback::model
