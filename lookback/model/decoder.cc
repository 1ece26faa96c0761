#include "lookback/model/decoder.h"

#include <algorithm>
#include <complex>
#include <variant>

#include "lookback/base/require.h"
#include "lookback/model/attention_steps.h"
#include "lookback/model/dense_steps.h"
#include "lookback/model/linear_step.h"
#include "lookback/model/rotary.h"

namespace lookback::model {
namespace {

/// A prompt is fed in blocks of so many tokens: enough for the products to be fast, few enough for
/// their activations to stay in cache.
constexpr std::size_t block_tokens = 64;

/// Columns of one of `heads` heads.
template <class N>
Matrix<N> columns_of(Matrix<N> whole, std::size_t heads, std::size_t head) {
  const std::size_t width = whole.cols / heads;
  return whole.columns(head * width, width);
}

}  // namespace

template <class N>
Decoder<N>::Decoder(const Program& program)
    : run_(program, 1, std::min(block_tokens, program.architecture.context), Keep::logits),
      past_(program.slots.size()) {}

template <class N>
std::span<const N> Decoder<N>::feed(std::span<const N> parameters, std::span<const Token> tokens) {
  LOOKBACK_REQUIRE(!tokens.empty() && tokens.size() <= room());
  LOOKBACK_REQUIRE(std::ranges::max(tokens) < run_.program.architecture.vocabulary);
  run_.parameters = parameters;
  make_room(size_ + tokens.size());
  for (std::size_t done = 0; done < tokens.size(); done += block_tokens) {
    feed_block(tokens.subspan(done, std::min(block_tokens, tokens.size() - done)));
  }
  const Matrix<N> logits = run_.value(run_.program.logits);
  return {logits.row(logits.rows - 1), logits.cols};
}

template <class N>
void Decoder<N>::feed_block(std::span<const Token> tokens) {
  run_.tokens = tokens;
  run_.length = tokens.size();
  for (const Step& each : run_.program.steps) {
    std::visit([this](const auto& s) { step(s); }, each);
  }
  size_ += tokens.size();
}

/// Memory for twice as many positions each time: that of a long context is taken only if it is used.
template <class N>
void Decoder<N>::make_room(std::size_t positions) {
  if (positions <= allocated_) return;
  const Architecture& a = run_.program.architecture;
  allocated_ = std::min(a.context, std::max({positions, 2 * allocated_, block_tokens}));
  const auto grow = [this](SlotId slot) {
    past_[slot].resize(allocated_ * run_.program.slots[slot].width);
  };
  for (const Step& each : run_.program.steps) {
    if (const auto* smear = std::get_if<Smear>(&each)) grow(smear->in);
    if (const auto* scores = std::get_if<Scores>(&each)) grow(scores->key);
    if (const auto* mix = std::get_if<Mix>(&each)) grow(mix->value);
  }
  if (a.positions != Positions::rotary) return;
  auto [cosine, sine] = rotary_tables<N>(a, allocated_);
  run_.cosine = std::move(cosine);
  run_.sine = std::move(sine);
}

/// What is kept of a slot, up to the end of the block: [size_ + block, width].
template <class N>
Matrix<N> Decoder<N>::past(SlotId slot) {
  const std::size_t width = run_.program.slots[slot].width;
  return {past_[slot].data(), size_ + run_.length, width, width};
}

template <class N>
void Decoder<N>::remember(SlotId slot) {
  copy<N>(run_.value(slot), past(slot).row_block(size_, run_.length));
}

template <class N>
template <class Step>
void Decoder<N>::step(const Step& same_for_every_position) {
  forward(same_for_every_position, run_);
}

template <class N>
void Decoder<N>::step(const Position& position) {
  copy<N>(run_.parameter(position.table).row_block(size_, run_.length), run_.value(position.out));
}

/// Of the logits, by far the widest of all activations, only the last row is wanted.
template <class N>
void Decoder<N>::step(const Linear& linear) {
  if (linear.out != run_.program.logits) {
    forward(linear, run_);
    return;
  }
  const std::size_t last = run_.length - 1;
  const Matrix<N> out = run_.value(linear.out).row_block(last, 1);
  math::matmul<N>(N(1), run_.value(linear.in).row_block(last, 1), right_factor(linear, run_), out,
                  Update::set, Part::dense);
  if (linear.bias) math::add_row<N>(run_.parameter_row(*linear.bias), out);
}

/// The row before the block's first is the past's.
template <class N>
void Decoder<N>::step(const Smear& smear) {
  remember(smear.in);
  const std::size_t heads = run_.program.slots[smear.in].heads;
  const std::size_t before = size_ == 0 ? 0 : 1;
  const std::size_t rows = run_.length + before;
  const Matrix<N> in = past(smear.in).row_block(size_ - before, rows);
  const std::size_t width = in.cols / heads;
  smeared_.resize(rows * width);
  const Matrix<N> smeared{smeared_.data(), rows, width, width};
  for (std::size_t h = 0; h < heads; ++h) {
    math::smear<N>(smear_share(smear, run_, h), columns_of(in, heads, h), smeared);
    copy<N>(smeared.row_block(before, run_.length), run_.head(smear.out, 0, h));
  }
}

template <class N>
void Decoder<N>::step(const Rotate& rotate) {
  const std::size_t pairs = run_.program.architecture.d_head / 2;
  const Matrix<const N> cosine{run_.cosine.data(), allocated_, pairs, pairs};
  const Matrix<const N> sine{run_.sine.data(), allocated_, pairs, pairs};
  for (std::size_t h = 0; h < run_.program.slots[rotate.out].heads; ++h) {
    math::rotate<N>(run_.head(rotate.in, 0, h), cosine.row_block(size_, run_.length),
                    sine.row_block(size_, run_.length), math::Rotation::forward, Update::set,
                    run_.head(rotate.out, 0, h));
  }
}

/// The scores, then the pattern, of one head: [block, past and block].
template <class N>
Matrix<N> Decoder<N>::attention(std::size_t head) {
  const std::size_t cols = size_ + run_.length;
  return {attention_.data() + head * run_.length * cols, run_.length, cols, cols};
}

template <class N>
void Decoder<N>::step(const Scores& scores) {
  remember(scores.key);
  const std::size_t heads = run_.program.slots[scores.out].heads;
  attention_.resize(heads * run_.length * (size_ + run_.length));
  for (std::size_t h = 0; h < heads; ++h) {
    const Factor<N> keys = columns_of(past(scores.key), heads, h);
    math::matmul<N>(score_scale(run_), run_.head(scores.query, 0, h), keys.transposed(),
                    attention(h), Update::set, Part::dense);
  }
}

template <class N>
void Decoder<N>::step(const Softmax& softmax) {
  for (std::size_t h = 0; h < run_.program.slots[softmax.out].heads; ++h) {
    const Matrix<N> pattern = attention(h);
    math::softmax_causal(pattern, size_);
    for (std::size_t r = 0; r < pattern.rows; ++r) {
      std::fill(pattern.row(r) + size_ + r + 1, pattern.row(r) + pattern.cols, N{});
    }
  }
}

template <class N>
void Decoder<N>::step(const Mix& mix) {
  remember(mix.value);
  const std::size_t heads = run_.program.slots[mix.pattern].heads;
  for (std::size_t h = 0; h < heads; ++h) {
    math::matmul<N>(N(1), attention(h), columns_of(past(mix.value), heads, h),
                    run_.head(mix.out, 0, h), Update::set, Part::dense);
  }
}

template class Decoder<float>;
template class Decoder<double>;
template class Decoder<std::complex<double>>;

}  // namespace lookback::model
