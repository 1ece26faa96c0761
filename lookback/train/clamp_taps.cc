#include "lookback/train/clamp_taps.h"

#include <algorithm>
#include <complex>

namespace lookback::train {
namespace {

using model::Tapped;

template <class N>
void zero(math::Matrix<N> matrix) {
  for (std::size_t r = 0; r < matrix.rows; ++r) std::fill_n(matrix.row(r), matrix.cols, N{});
}

/// A hook of one head's, or of all where `head` is absent.
template <class N>
model::Hook<N> only(std::optional<std::size_t> head, model::Hook<N> hook) {
  return [head, hook = std::move(hook)](const Tapped& at, math::Matrix<N> matrix) {
    if (!head || at.head == *head) hook(at, matrix);
  };
}

/// Sets a hook on a name that validate() has seen.
template <class N>
void on_forward(model::Taps<N>& taps, const std::string& name, std::optional<std::size_t> head,
                model::Hook<N> hook) {
  [[maybe_unused]] const Status set = taps.on_forward(name, only<N>(head, std::move(hook)));
}

template <class N>
void on_backward(model::Taps<N>& taps, const std::string& name, std::optional<std::size_t> head,
                 model::Hook<N> hook) {
  [[maybe_unused]] const Status set = taps.on_backward(name, only<N>(head, std::move(hook)));
}

template <class N>
void no_gradient(model::Taps<N>& taps, const std::string& name, std::optional<std::size_t> head) {
  on_backward<N>(taps, name, head, [](const Tapped&, math::Matrix<N> gradient) { zero(gradient); });
}

}  // namespace

/// A pattern that is the ideal one of the sequence.
template <class N>
class ClampTaps<N>::Pinned {
 public:
  Pinned(const Clamp& clamp, std::size_t length, model::Taps<N>& taps)
      : kind_(clamp.kind == ClampKind::matching ? data::IdealPattern::matching
                                                : data::IdealPattern::previous_token),
        numbers_(length * length),
        ideal_{numbers_.data(), length, length, length} {
    const std::string name = attention_name(clamp.layer, "pattern");
    on_forward<N>(taps, name, clamp.head, [this](const Tapped&, math::Matrix<N> pattern) {
      for (std::size_t t = 0; t < pattern.rows; ++t) {
        std::copy_n(ideal_.row(t), pattern.cols, pattern.row(t));
      }
    });
    no_gradient<N>(taps, name, clamp.head);
  }

  void prepare(std::span<const model::Token> tokens) { data::ideal_pattern(kind_, tokens, ideal_); }

 private:
  data::IdealPattern kind_;
  std::vector<float> numbers_;
  math::Matrix<float> ideal_;  ///< [T,T]
};

/// A head whose write is the ideal copy of what it attends to.
template <class N>
class ClampTaps<N>::Copied {
 public:
  Copied(const Clamp& clamp, model::Taps<N>& taps) : gain_(static_cast<N>(clamp.gain)) {
    const std::string pattern = attention_name(clamp.layer, "pattern");
    const std::string written = attention_name(clamp.layer, "z");
    on_forward<N>(taps, written, clamp.head, [](const Tapped&, math::Matrix<N> z) { zero(z); });
    no_gradient<N>(taps, written, clamp.head);
    on_forward<N>(taps, pattern, clamp.head,
                  [this](const Tapped&, math::Matrix<N> seen) { keep(seen, pattern_); });
    on_forward<N>(taps, "logits", std::nullopt,
                  [this](const Tapped&, math::Matrix<N> logits) { copy(logits); });
    on_backward<N>(taps, "logits", std::nullopt,
                   [this](const Tapped&, math::Matrix<N> gradient) { keep(gradient, d_logits_); });
    on_backward<N>(taps, pattern, clamp.head,
                   [this](const Tapped&, math::Matrix<N> gradient) { copy_backward(gradient); });
  }

  void prepare(std::span<const model::Token> tokens) {
    tokens_.assign(tokens.begin(), tokens.end());
  }

 private:
  static void keep(math::Matrix<N> seen, std::vector<N>& numbers) {
    numbers.clear();
    for (std::size_t r = 0; r < seen.rows; ++r) {
      numbers.insert(numbers.end(), seen.row(r), seen.row(r) + seen.cols);
    }
  }

  /// logits[t,x_s] += gain * A[t,s]
  void copy(math::Matrix<N> logits) const {
    for (std::size_t t = 0; t < logits.rows; ++t) {
      const N* attended = pattern_.data() + t * tokens_.size();
      N* row = logits.row(t);
      for (std::size_t s = 0; s <= t; ++s) row[tokens_[s]] += gain_ * attended[s];
    }
  }

  /// dA[t,s] += gain * dlogits[t,x_s]
  void copy_backward(math::Matrix<N> gradient) const {
    const std::size_t vocabulary = d_logits_.size() / tokens_.size();
    for (std::size_t t = 0; t < gradient.rows; ++t) {
      const N* d_logits = d_logits_.data() + t * vocabulary;
      N* row = gradient.row(t);
      for (std::size_t s = 0; s <= t; ++s) row[s] += gain_ * d_logits[tokens_[s]];
    }
  }

  N gain_;
  std::vector<model::Token> tokens_;  ///< [T]
  std::vector<N> pattern_;            ///< [T,T], A
  std::vector<N> d_logits_;           ///< [T,V]
};

/// An activation that does not follow what training does.
template <class N>
class ClampTaps<N>::Frozen {
 public:
  /// `starting` are the taps of the run of the starting weights, which is made before each sequence.
  Frozen(const Clamp& clamp, model::Taps<N>& taps, model::Taps<N>& starting) {
    const std::string& name = clamp.activation;
    if (clamp.to == FreezeTo::zero) {
      on_forward<N>(taps, name, clamp.head,
                    [](const Tapped&, math::Matrix<N> value) { zero(value); });
    } else if (clamp.to == FreezeTo::initial) {
      on_forward<N>(starting, name, clamp.head, [this](const Tapped& at, math::Matrix<N> value) {
        std::vector<N>& numbers = of_head(at.head);
        numbers.clear();
        for (std::size_t r = 0; r < value.rows; ++r) {
          numbers.insert(numbers.end(), value.row(r), value.row(r) + value.cols);
        }
      });
      on_forward<N>(taps, name, clamp.head, [this](const Tapped& at, math::Matrix<N> value) {
        const N* from = of_head(at.head).data();
        for (std::size_t r = 0; r < value.rows; ++r, from += value.cols) {
          std::copy_n(from, value.cols, value.row(r));
        }
      });
    }
    no_gradient<N>(taps, name, clamp.head);
  }

 private:
  std::vector<N>& of_head(std::size_t head) {
    if (head >= values_.size()) values_.resize(head + 1);
    return values_[head];
  }

  std::vector<std::vector<N>> values_;  ///< by head of the layer, row after row
};

template <class N>
ClampTaps<N>::ClampTaps(const model::Program& program, std::span<const Clamp> clamps,
                        std::span<const N> starting, std::size_t length)
    : program_(program), clamps_(clamps), starting_(starting), length_(length) {}

template <class N>
ClampTaps<N>::~ClampTaps() = default;

template <class N>
const model::Taps<N>* ClampTaps<N>::prepare(std::uint64_t tokens_seen,
                                            std::span<const model::Token> tokens) {
  std::vector<const Clamp*> in_force;
  for (const Clamp& clamp : clamps_) {
    if (clamp.in_force(tokens_seen)) in_force.push_back(&clamp);
  }
  if (in_force.empty()) return nullptr;
  if (in_force != in_force_) choose(std::move(in_force));
  for (const auto& pinned : pinned_) pinned->prepare(tokens);
  for (const auto& copied : copied_) copied->prepare(tokens);
  if (starting_run_) starting_run_->forward(starting_, tokens, &*starting_taps_);
  return &*taps_;
}

/// Makes the taps anew. Copying comes last, so that forward it reads the pattern that others set,
/// and backward its gradient is there when they turn it off.
template <class N>
void ClampTaps<N>::choose(std::vector<const Clamp*> in_force) {
  in_force_ = std::move(in_force);
  taps_.emplace(program_);
  starting_taps_.emplace(program_);
  pinned_.clear();
  copied_.clear();
  frozen_.clear();
  const auto starts = [](const Clamp* clamp) {
    return clamp->kind == ClampKind::freeze && clamp->to == FreezeTo::initial;
  };
  if (!std::ranges::any_of(in_force_, starts)) {
    starting_run_.reset();
  } else if (!starting_run_) {
    starting_run_ = std::make_unique<model::Executor<N>>(program_, 1, length_, model::Keep::logits);
  }
  for (const Clamp* clamp : in_force_) {
    if (clamp->kind == ClampKind::copying) continue;
    if (clamp->kind == ClampKind::freeze) {
      frozen_.push_back(std::make_unique<Frozen>(*clamp, *taps_, *starting_taps_));
    } else {
      pinned_.push_back(std::make_unique<Pinned>(*clamp, length_, *taps_));
    }
  }
  for (const Clamp* clamp : in_force_) {
    if (clamp->kind != ClampKind::copying) continue;
    copied_.push_back(std::make_unique<Copied>(*clamp, *taps_));
  }
}

template class ClampTaps<float>;
template class ClampTaps<double>;
template class ClampTaps<std::complex<double>>;

RunClamps::RunClamps(const model::Program& program, std::vector<Clamp> clamps, std::uint64_t seed,
                     std::size_t length, std::size_t workers)
    : clamps_(std::move(clamps)), tokens_(workers, std::vector<model::Token>(length)) {
  if (clamps_.empty()) return;
  starting_ = model::initialize(program, seed);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    workers_.push_back(std::make_unique<ClampTaps<float>>(
        program, clamps_, std::span<const float>(starting_), length));
  }
}

bool RunClamps::any_in_force(std::uint64_t tokens_seen) const {
  return std::ranges::any_of(clamps_,
                             [&](const Clamp& clamp) { return clamp.in_force(tokens_seen); });
}

TrainingTaps RunClamps::training_taps(const data::TokenSource& source) {
  if (clamps_.empty()) return {};
  return [this, &source](std::size_t worker, std::uint64_t tokens_seen, std::uint64_t sequence) {
    if (!any_in_force(tokens_seen)) return static_cast<const model::Taps<float>*>(nullptr);
    source.draw(sequence, tokens_[worker]);
    return prepare(worker, tokens_seen, tokens_[worker]);
  };
}

}  // namespace lookback::train
