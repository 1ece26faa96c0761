// What a model loses when a part of it is removed: the article's measure and its relatives.
//
// Every measure is the rise of second-half loss (losses.h), in nats, over the same sequences
// without the ablation: the mean of the differences and its standard error. All are interventions,
// lists of edits (model/plan.h); ablation_edits.h says which.
//
//   paths     one component of the stream that ONE head reads as its query, key or value is replaced;
//             every other reader still sees it. Norms in between are recomputed.
//   logits    one component of the last stream is replaced for ln_final alone
//   heads     what one head writes is replaced, for all that read it
//   patterns  one head's attention is frozen, or all heads': the pattern is replaced, what it moves
//             is the run's own. (Zero is none: rows of a pattern sum to 1.)
//   values    what one head moves, or all heads, becomes its mean over the sequence's positions, while
//             keys still match: each row of z becomes the mean of the values, for rows of a pattern
//             sum to 1. So the value of a head without OV, which is its key, can be replaced on its
//             own.
//   norms     frozen: the scale of a norm is its mean over sequences and positions, a constant
//             (centering, gain and bias stay). removed: the normed stream is the stream itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/lens/component.h"
#include "lookback/lens/estimate.h"
#include "lookback/lens/intervention.h"

namespace lookback::lens {

/// What a head reads. Without OV the key input feeds matching and value alike: `k` changes both, and
/// `v` the value alone, with the pattern kept as it was.
enum class Input { q, k, v };
const char* name_of(Input input);  ///< "q", "k", "v"

struct PathAblation {
  Component from;
  HeadPlace to;
  Input input = Input::q;
  Replacement replacement = Replacement::zero;
  Estimate rise = {};
};

struct LogitsAblation {
  Component from;
  Replacement replacement = Replacement::zero;
  Estimate rise = {};
};

struct HeadAblation {
  HeadPlace head;
  Replacement replacement = Replacement::zero;
  Estimate rise = {};
};

struct PatternAblation {
  std::optional<HeadPlace> head;  ///< none: every head
  Replacement replacement = Replacement::mean;
  Estimate rise = {};
};

struct ValueAblation {
  std::optional<HeadPlace> head;  ///< none: every head
  Estimate rise = {};
  /// exp(the rise of the mean loss over all positions): perplexity with / perplexity without.
  double perplexity_ratio = 0;
};

struct NormAblation {
  enum class Change { frozen, removed };
  std::optional<std::string>
      norm;  ///< as in names of activations, "blocks.0.ln1"; none: every norm
  Change change = Change::frozen;
  Estimate rise = {};
};

/// Beyond this many heads (or norms) in the whole model an analysis is skipped instead of running
/// for hours: the work for paths grows with the square of the number of heads, that for the others
/// with the heads times the model.
struct AblationLimits {
  std::size_t path_heads = 16;     ///< paths, logits
  std::size_t head_heads = 48;     ///< heads, and the values of single heads
  std::size_t pattern_heads = 32;  ///< patterns: all heads' [T,T] are held at once
  std::size_t norms = 24;          ///< norms one by one
};

struct Ablations {
  std::size_t sequences = 0;
  Estimate baseline;  ///< second-half loss without any
  std::vector<PathAblation> paths;
  std::vector<LogitsAblation> logits;
  std::vector<HeadAblation> heads;
  std::vector<PatternAblation> patterns;
  std::vector<ValueAblation> values;
  std::vector<NormAblation> norms;
  std::vector<std::string> skipped;  ///< one line each: what, what was found, what is allowed
};

/// All ablations of the model, in the order of the forward pass. The same bits for any number of
/// threads. Errors: as check (intervention.h).
Result<Ablations> ablations(const Setting& setting, const AblationLimits& limits = {});

}  // namespace lookback::lens
