#include "lookback/model/plan_taps.h"

#include <algorithm>
#include <complex>
#include <string>
#include <type_traits>
#include <utility>

namespace lookback::model {
namespace {

/// A hook of one head's, or of all where `head` is absent.
template <class N>
Hook<N> of_head(std::optional<std::size_t> head, Hook<N> hook) {
  return [head, hook = std::move(hook)](const Tapped& at, math::Matrix<N> x) {
    if (!head || at.head == *head) hook(at, x);
  };
}

template <class N>
void keep_rows(math::Matrix<N> x, std::vector<N>& numbers) {
  numbers.clear();
  for (std::size_t r = 0; r < x.rows; ++r) {
    numbers.insert(numbers.end(), x.row(r), x.row(r) + x.cols);
  }
}

/// Calls change(row number, row) for the rows of x that the edit changes.
template <class N, class Change>
void for_rows(const Edit& edit, math::Matrix<N> x, Change change) {
  const std::size_t end = std::min(edit.end_row, x.rows);
  for (std::size_t r = edit.first_row; r < end; ++r) change(r, x.row(r));
}

template <class N>
void apply_value(const Edit& edit, math::Matrix<N> x) {
  for_rows(edit, x, [&](std::size_t r, N* row) {
    const float* value = edit.value.row(edit.value.rows == 1 ? 0 : r);
    for (std::size_t c = 0; c < x.cols; ++c) {
      const auto number = static_cast<N>(value[c]);
      if (edit.kind == Edit::Kind::add) {
        row[c] += number;
      } else if (edit.kind == Edit::Kind::multiply) {
        row[c] *= number;
      } else {
        row[c] = number;
      }
    }
  });
}

template <class N>
void clear(const Edit& edit, math::Matrix<N> x) {
  for_rows(edit, x, [&](std::size_t, N* row) { std::fill_n(row, x.cols, N{}); });
}

/// The mean over rows of numbers [T,width]; of floats it is summed in double.
template <class N>
std::vector<N> mean_row(const std::vector<N>& numbers, std::size_t width) {
  using Sum = std::conditional_t<std::is_same_v<N, float>, double, N>;
  const std::size_t rows = numbers.size() / width;
  std::vector<N> mean(width);
  for (std::size_t c = 0; c < width; ++c) {
    Sum sum{};
    for (std::size_t r = 0; r < rows; ++r) sum += static_cast<Sum>(numbers[r * width + c]);
    mean[c] = static_cast<N>(sum / static_cast<double>(rows));
  }
  return mean;
}

template <class N>
void apply_copy(const Edit& edit, const std::vector<N>& source, math::Matrix<N> x) {
  const bool is_mean = edit.kind == Edit::Kind::copy_mean;
  const std::vector<N> mean = is_mean ? mean_row(source, x.cols) : std::vector<N>();
  for_rows(edit, x, [&](std::size_t r, N* row) {
    std::copy_n(is_mean ? mean.data() : source.data() + r * x.cols, x.cols, row);
  });
}

/// logits[t,x_s] += gain * A[t,s]
template <class N>
void add_tokens(const Edit& edit, std::span<const Token> tokens, const std::vector<N>& pattern,
                math::Matrix<N> logits) {
  for_rows(edit, logits, [&](std::size_t t, N* row) {
    const N* attended = pattern.data() + t * tokens.size();
    for (std::size_t s = 0; s <= t; ++s) row[tokens[s]] += static_cast<N>(edit.gain) * attended[s];
  });
}

/// dA[t,s] += gain * dlogits[t,x_s]
template <class N>
void add_tokens_backward(const Edit& edit, std::span<const Token> tokens,
                         const std::vector<N>& d_logits, math::Matrix<N> d_pattern) {
  const std::size_t vocabulary = d_logits.size() / tokens.size();
  for_rows(edit, d_pattern, [&](std::size_t t, N* row) {
    const N* d = d_logits.data() + t * vocabulary;
    for (std::size_t s = 0; s <= t; ++s) row[s] += static_cast<N>(edit.gain) * d[tokens[s]];
  });
}

}  // namespace

template <class N>
std::vector<N>& PlanTaps<N>::Source::of_head(std::size_t head) {
  if (head >= seen.size()) seen.resize(head + 1);
  return seen[head];
}

template <class N>
Status PlanTaps<N>::connect(const Program& program, const Plan& plan, std::span<const Token> tokens,
                            const See& see) {
  taps_.emplace(program);
  sources_.clear();
  sources_.resize(plan.edits.size());
  for (std::size_t i = 0; i < plan.edits.size(); ++i) {
    const Edit& edit = plan.edits[i];
    if (Status fits = check(program, tokens.size(), edit); !fits) return fits;
    Status connected = edit.kind == Edit::Kind::add_tokens
                           ? connect_tokens(edit, tokens, sources_[i])
                           : connect(edit, sources_[i]);
    if (!connected) return connected;
  }
  const auto show = [see](const Tapped& at, math::Matrix<N> x) { see(at, x); };
  for (const std::string& name : plan.recorded) {
    if (Status connected = taps_->on_forward(name, show); !connected) return connected;
  }
  return {};
}

template <class N>
Status PlanTaps<N>::connect(const Edit& edit, Source& source) {
  if (edit.has_source()) {
    const auto look = [&source](const Tapped& at, math::Matrix<N> x) {
      keep_rows(x, source.of_head(at.head));
    };
    Status looks = taps_->on_forward(edit.source, of_head<N>(edit.head, look));
    if (!looks) return looks;
  }
  const auto change = [&edit, &source](const Tapped& at, math::Matrix<N> x) {
    if (edit.has_source()) {
      apply_copy(edit, source.of_head(at.head), x);
    } else if (edit.has_value()) {
      apply_value(edit, x);
    } else if (edit.kind == Edit::Kind::zero) {
      clear(edit, x);
    }
  };
  Status changes = taps_->on_forward(edit.activation, of_head<N>(edit.head, change));
  return changes ? connect_backward(edit) : changes;
}

template <class N>
Status PlanTaps<N>::connect_tokens(const Edit& edit, std::span<const Token> tokens,
                                   Source& source) {
  const auto look = [&source](const Tapped& at, math::Matrix<N> pattern) {
    keep_rows(pattern, source.of_head(at.head));
  };
  const auto speak = [&edit, &source, tokens](const Tapped&, math::Matrix<N> logits) {
    for (const std::vector<N>& pattern : source.seen) {
      if (!pattern.empty()) add_tokens(edit, tokens, pattern, logits);
    }
  };
  const auto hear = [&source](const Tapped&, math::Matrix<N> d_logits) {
    keep_rows(d_logits, source.gradient);
  };
  const auto learn = [&edit, &source, tokens](const Tapped&, math::Matrix<N> d_pattern) {
    add_tokens_backward(edit, tokens, source.gradient, d_pattern);
  };
  if (Status set = taps_->on_forward(edit.source, of_head<N>(edit.head, look)); !set) return set;
  if (Status set = taps_->on_forward(edit.activation, speak); !set) return set;
  if (Status set = taps_->on_backward(edit.activation, hear); !set) return set;
  return taps_->on_backward(edit.source, of_head<N>(edit.head, learn));
}

template <class N>
Status PlanTaps<N>::connect_backward(const Edit& edit) {
  if (edit.kind == Edit::Kind::add) return {};
  const auto change = [&edit](const Tapped&, math::Matrix<N> gradient) {
    if (edit.kind == Edit::Kind::multiply) return apply_value(edit, gradient);
    clear(edit, gradient);
  };
  return taps_->on_backward(edit.activation, of_head<N>(edit.head, change));
}

template class PlanTaps<float>;
template class PlanTaps<double>;
template class PlanTaps<std::complex<double>>;

}  // namespace lookback::model
