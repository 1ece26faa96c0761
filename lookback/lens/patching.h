// Activation patching: which activations carry what a model copies.
//
// A clean sequence is a random block of P tokens, twice (T = 2 P). P is one of the periods that the
// model was trained on: a model may fail to copy longer blocks, and then there is nothing to
// restore. It is the same for every pair, so that a position means the same in all of them. The
// last query that looking back answers stands at T - 2: its token x_{T-2} occurred at P - 2, and
// what followed there, x_{P-1}, is the right answer. A corrupted sequence differs in one token of
// the first copy, which becomes another at random:
//
//   answer   x_{P-1}: the query's token is still found, but what followed it is another token
//   match    x_{P-2}: the answer is still there, but the query's token is not found before it
//
// The metric is the log-probability, in nats, of the right answer at the query. A patch puts an
// activation of the clean run into the corrupted one; what it restores is
//
//   (patched - corrupted) / (clean - corrupted),
//
// 0 when nothing is restored and 1 when everything is, as a ratio of means over sequences
// (ratio_estimate, estimate.h). If clean and corrupted hardly differ, as in a model that does not
// copy, the ratio says nothing, so both are given. Meng et al. 2022 and Wang et al. 2022 patch this
// way ("denoising", in the words of Heimersheim and Nanda 2024).
//
// Pairs are independent and use no other sequences, so intervals are over pairs.
//
// Legend: P tokens of a block, T = 2 P positions, n heads of the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/task.h"
#include "lookback/lens/ablation.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/model.h"

namespace lookback::lens {

enum class Corruption { answer, match };
const char* name_of(Corruption corruption);  ///< "answer", "match"

/// An activation of one head. Without OV there is no v.
enum class Patched { q, k, v, z, pattern };
const char* name_of(Patched patched);  ///< "q", "k", "v", "z", "pattern"

struct CorruptedPair {
  std::vector<model::Token> clean;
  std::vector<model::Token> corrupted;
  std::size_t changed = 0;  ///< the position at which they differ
  std::size_t query = 0;    ///< T - 2
  model::Token right = 0;   ///< x_{T-1} of the clean sequence
};

/// Pair number `index` of blocks of `period` tokens: a pure function of its arguments.
/// Errors: a period below 2 or above 2^23, a vocabulary below 2 or above 2^32.
Result<CorruptedPair> corrupted_pair(std::size_t vocabulary, std::size_t period,
                                     Corruption corruption, std::uint64_t index);

/// One head's activation, patched at one position alone, or at all.
struct HeadPatch {
  HeadPlace head;
  Patched activation = Patched::q;
  Estimate whole;                     ///< at all positions
  std::vector<Estimate> by_position;  ///< [T]; for pattern, the row of the query there; or empty
};

/// One component of what one input of one head reads, or the logits, as in ablation.h: the clean
/// component in place of the corrupted one, for that reader alone.
struct PathPatch {
  Component from;
  std::optional<HeadPlace> to;  ///< none: the logits
  Input input = Input::q;       ///< of the head
  Estimate restored = {};
};

/// Beyond this many heads in the whole model an analysis is skipped.
struct PatchingLimits {
  std::size_t whole_heads = 48;     ///< heads at all positions: 5 n runs a sequence
  std::size_t position_heads = 16;  ///< heads by position: 5 n T
  std::size_t positions = 64;       ///< T, of the same
  std::size_t path_heads = 16;      ///< paths: 3 n^2
};

struct Patching {
  Corruption corruption = Corruption::answer;
  std::size_t sequences = 0;
  std::size_t length = 0;  ///< T
  std::size_t changed = 0;
  std::size_t query = 0;
  Estimate clean;      ///< log-probability of the right answer, nats
  Estimate corrupted;  ///< the same
  std::vector<HeadPatch> heads;
  std::vector<PathPatch> paths;
  std::vector<std::string> skipped;  ///< one line each: what, what was found, what is allowed
};

/// The P of the pairs for a model that was trained on the periods of `trained` (TaskProfile):
/// the one of them that is nearest to the middle of their range, or to 32 where that is less, for
/// patching by position takes time as P^2. At least 2, at most half of the model's context.
/// REQUIRES at least one range, ascending.
std::size_t patching_period(std::span<const data::Offsets> trained,
                            const model::Architecture& architecture);

/// Patches pairs 0 .. sequences - 1 of blocks of `period` tokens. The same bits for any number of
/// threads. Errors: no sequence; a buffer that is not the program's; a period below 2, or above half of
/// the context.
Result<Patching> patching(const Model& model, std::size_t period, Corruption corruption,
                          std::size_t sequences, model::Engine& engine,
                          const PatchingLimits& limits = {});

}  // namespace lookback::lens
