// The task in which induction is learned, and the probes that tell it from counting periods.
//
// A sequence draws a period P and a block of P tokens, i.i.d. uniform over V, and shows copies of
// it until T positions are full; the last copy may be cut short. Copy 0 starts at position 0.
//
//   repeated-blocks  P uniform on {min..max} (16..48), copies without gap: x_t = block[t mod P]
//   unseen-period    the same with P uniform on {min/2..min-1} and {max+1..2 max} together (8..15
//                    and 49..96): just outside what was trained. Periods above T/2 are left out.
//   broken-period    P uniform on {min..max}; before each copy but the first a gap of G random
//                    tokens, G uniform on {1..P} and drawn anew for each gap. A gap is never empty,
//                    so no two copies touch, and the distance between the starts of neighboring
//                    copies is uniform on P+1..2P: whatever offset a head fixes, it is right for at
//                    most one pair in P.
//   random-repeat    one random sequence of T/2 tokens, twice (P = T/2, T even)
//
// Blocks are drawn independently, so a token may occur twice in a block by chance, and a gap may
// show a token of the block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lookback/base/random.h"
#include "lookback/base/result.h"
#include "lookback/data/task.h"

namespace lookback::data {

enum class BlockKind { repeated_blocks, unseen_period, broken_period, random_repeat };

/// The name of the task's row: "repeated-blocks", "unseen-period", "broken-period", "random-repeat".
const std::string& name_of(BlockKind kind);

/// The key `period` of a task's row, and the probes of a run that learns to look back.
base::Key period_key(std::string meaning);
std::vector<std::string> block_probes();

/// Where the copies of the block lie in one sequence.
struct BlockStructure {
  std::size_t length = 0;           ///< T
  std::size_t period = 0;           ///< P, the length of the block
  std::vector<std::size_t> starts;  ///< of each copy, ascending, all < T; starts[0] = 0

  /// Which copy x_t belongs to, from 0; none inside a gap. REQUIRES t < length. For the loss of the
  /// prediction made at t by the copy that it predicts, ask for t + 1.
  std::optional<std::size_t> occurrence(std::size_t t) const;

  /// The position that an induction head should look at from t: s such that x_{s-1} is the same
  /// place of the block as x_t, one copy earlier, and x_s the token that comes next, x_s = x_{t+1}.
  /// For copies without gap it is t - P + 1, for P <= t < T - 1. None where looking back for x_t
  /// does not tell what comes next: in the first copy (its last position too: that the block now
  /// begins again cannot be known), in a gap, at the last token of a copy that a gap follows, and
  /// at T - 1, whose next token is outside.
  std::optional<std::size_t> answer(std::size_t t) const;

  /// The same as measures take it: answer(t), and the copies as occurrences; the first is the opening.
  Structure plain() const;
};

/// Periods are inclusive; random-repeat does not use them.
struct BlockTask {
  BlockKind kind = BlockKind::repeated_blocks;
  std::size_t vocabulary = 256;  ///< V
  std::size_t length = 256;      ///< T
  std::size_t min_period = 16;   ///< of training, for unseen-period too
  std::size_t max_period = 48;
  std::uint64_t seed = 0;
  base::StreamPurpose purpose = base::StreamPurpose::training_data;
};

/// Immutable and thread-safe.
class BlockSource : public Task {
 public:
  std::size_t length() const override { return task_.length; }
  std::size_t vocabulary() const override { return task_.vocabulary; }
  void draw(std::uint64_t index, std::span<Token> tokens) const override;
  const TaskProfile& profile() const override { return profile_; }
  Structure structure(std::uint64_t index) const override { return blocks(index).plain(); }

  /// Bayes over the period, where copies touch. Of gaps nobody has written one.
  std::vector<NamedPredictor> predictors() const override;

  /// Where the copies lie in the sequence that draw() gives for the same index.
  BlockStructure blocks(std::uint64_t index) const;

  const BlockTask& task() const { return task_; }

 private:
  friend Result<std::unique_ptr<BlockSource>> make_block_source(const BlockTask& task);
  BlockSource(const BlockTask& task, std::vector<Offsets> periods);
  std::size_t draw_period(base::RandomStream& stream) const;
  BlockStructure draw_structure(base::RandomStream& stream) const;

  BlockTask task_;
  TaskProfile profile_;  ///< periods: what is drawn from, one range or two
};

/// Refuses, in one line, what does not fit: V < 2 or above 2^32, T above 2^24, a period of 0 or an
/// empty range, and a T without room for two whole copies of the longest block (with the longest
/// gap between them), except that unseen-period then leaves out the periods that do not fit, as
/// long as one remains.
Result<std::unique_ptr<BlockSource>> make_block_source(const BlockTask& task);

}  // namespace lookback::data
