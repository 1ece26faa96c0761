// Induction circuits with weights in closed form: no training.
//
// They prove that two heads, one reading what the other wrote, suffice, in two layers or in one,
// and every measure of a head has a known value on them. No norms, no biases; the stream is cut
// into
//
//   A  the token, as a code u(x) of 2p numbers (token_code.h): products of equal tokens are 1, of
//      others at most rho = 1 / sqrt(p) in size. W_U reads A by the same code.
//   B  what head 0 writes: the tokens before, in the same code
//   P  the position, as points (cos w_j t, sin w_j t) on circles, w_j = 2 pi / 4^{j+1}, j < M,
//      4^M >= T - 1, so that no two offsets look alike
//   m  one number, the mark of the first two positions
//
// and the rest of D is zero.
//
// Head 0 scores positions alone, f(t - s) = sum_j a_j cos w_j (t - s - d_j). Circle 0 turns once in
// four offsets: with a_0 (cos h, sin h) = (margin / 2 + ln(w1 / w2), margin / 2), h = w_0 (d_0 - 1),
// its values at offsets 1, 2, 0, 3 (mod 4) are a_0 times cos h, sin h, -sin h, -cos h. The larger
// circles, d_j = 3/2, are highest at 1 and 2 alike. Of the offsets that are 1 or 2 (mod 4^j) and not
// (mod 4^{j+1}), circle j lowers each by at least a_j (cos - sin)(pi / 4^{j+1}), which a_j makes the
// margin. So after the softmax offset 1 has the share w1, offset 2 w2 = 1 - w1, and each other at
// most e^{-margin}. B_t = w1 u(x_{t-1}) + w2 u(x_{t-2}).
//
// Head 1 scores <alpha u(x_t) + beta B_t, B_s> + mark_gain m_t m_s. With S(c) = <alpha u(x_t) +
// beta B_t, u(c)> that is w1 S(x_{s-1}) + w2 S(x_{s-2}) and the marks. S is about beta for x_t and
// x_{t-1}, and at most 2 beta rho for other tokens. The right source, after (x_{t-1}, x_t), therefore
//  - beats every source whose tokens are neither, by w1 beta (1 - 3 rho) > 0 and more;
//  - beats the sources after x_{t-1}, by w1 (alpha - beta) (1 - rho) = w1 margin;
//  - beats those after x_t alone (the token occurs elsewhere too) by w2 beta = tie_break in the
//    mean, and always by more than (1 - 3 rho) of it;
//  - ties with those after the same two tokens, and with those after (x_t, x_t): no score that is
//    linear in B_s can tell these without preferring others. Either has a chance of about P / V^2.
// Position 0 has no predecessor and looks like the token after itself: its mark excludes it.
// Position 1 has no token before the one before: its mark takes half a tie_break away. Head 1
// writes gain times the code of x_s over A: the logit of the token found is `copy_gain`, of every
// other token at most rho of it, and the direct path adds 1 to x_t's.
//
// So the remaining loss comes from ties, at about 2 P / V^2 of the queries, and from tokens before
// which nothing is known (the first of a copy after a gap) and which occur elsewhere too, at about
// 1 / V. A tie costs ln 2; if the wrong place has one copy more, it costs a third of copy_gain,
// because logits are proportional to the shares of attention, not to their logarithms.
//
// Smeared keys, one layer, one head: the keys are those of the position before (the smear's share s
// = e^-20), so <u(x_t), u(x_{s-1})> matches at once. The query knows no token before its own, so
// for a token that occurs k times in the block the guess is right one time in k: about P / V of the
// queries. Position 0 keeps its own key, which is also position 1's: where x_t = x_0 the two share
// the attention.
//
// Legend: V tokens, T positions, D = d_model, E = d_head, P the period of a block.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/model/architecture.h"
#include "lookback/model/token_code.h"

namespace lookback::model {

enum class ConstructionKind { two_layer, sequential, smeared };

/// "two-layer", "sequential", "smeared", in this order.
std::span<const std::string> construction_names();

struct Construction {
  ConstructionKind kind = ConstructionKind::two_layer;
  std::size_t vocabulary = 256;  ///< V
  std::size_t context = 256;     ///< T
  std::size_t d_model = 0;       ///< D
  std::size_t d_head = 0;        ///< E
};

/// The numbers of a circuit, in the notation above; scores are in nats.
struct Circuit {
  TokenCode code;
  std::size_t circles = 0;        ///< M; 0 for smeared, as what follows up to mark_gain
  double previous_share = 0;      ///< w1
  double earlier_share = 0;       ///< w2
  double current_gain = 0;        ///< alpha; for smeared the gain of the only product
  double previous_gain = 0;       ///< beta
  double mark_gain = 0;           ///< of the product of two marks, which are 1 from position 2 on
  double copy_gain = 0;           ///< what head 1 multiplies the code with
  std::size_t least_d_model = 0;  ///< 4p + 2M + 1; smeared: 2p
  std::size_t least_d_head = 0;   ///< max(2p + 1, 2M); smeared: 2p
};

/// The circuit of a kind at V and T; D and E are not read.
Circuit circuit_of(const Construction& construction);

/// The loss of two heads, in nats, on a query that looking back can answer, with blocks of P tokens
/// in T positions: at most about
///   copy_gain max(0.65 P / V^2, 0.5 P / V^2 + 0.08 b / V),
///   b = 2 P / T, or max(1, 16 / P) where 2 P >= T or gaps lie between the copies (broken-period).
/// The terms are those of the ties and of the unknown beginnings above, whose share is b; the
/// factors are measured (docs/science.md). The induction score stays high with fewer tokens.
/// REQUIRES V, P, T > 0.
double expected_loss(std::size_t vocabulary, std::size_t period, std::size_t context, bool gaps);

/// The loss that `lookback construct` guarantees for two heads on repeated-blocks, in nats.
inline constexpr double promised_loss = 0.01;

/// The smallest V whose expected_loss is at most promised_loss on blocks of P tokens in T
/// positions.
std::size_t least_vocabulary(std::size_t period, std::size_t context);

/// A model: what compile() takes, and its parameters [buffer_size].
struct ConstructedModel {
  Architecture architecture;
  std::vector<float> parameters;
};

/// The circuit's model. Errors: what validate() refuses, and a D or E below the minimum, with an
/// explanation of the minimum.
Result<ConstructedModel> construct(const Construction& construction);

}  // namespace lookback::model
