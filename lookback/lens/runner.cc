#include "lookback/lens/runner.h"

#include <algorithm>
#include <cmath>

namespace lookback::lens {

Runner::Runner(const Model& model, std::size_t length)
    : model_(model), length_(length), executor_(model.program, 1, length) {}

/// Sets the hooks that make the edits.
Status Runner::connect(const Edits& edits, model::Taps<float>& taps) {
  sources_ = {};
  for (const Edit& edit : edits) {
    if (Status status = check(model_.program, length_, edit); !status) return status;
    if (!edit.source.empty()) {
      const auto look = [this](const model::Tapped& at, math::Matrix<float> seen) {
        keep(at, seen, sources_);
      };
      if (Status status = taps.on_forward(edit.source, look); !status) return status;
    }
    const auto change = [this, &edit](const model::Tapped& at, math::Matrix<float> x) {
      if (edit.head && *edit.head != at.head) return;
      apply(edit, sources_.at(edit.source, at.head), x);
    };
    if (Status status = taps.on_forward(edit.activation, change); !status) return status;
  }
  return {};
}

void Runner::forward(std::span<const model::Token> tokens, const model::Taps<float>& taps,
                     std::size_t first) {
  if (!std::ranges::equal(tokens, tokens_)) {
    tokens_.assign(tokens.begin(), tokens.end());
    unedited_steps_ = 0;
  }
  const std::size_t start = std::min(first, unedited_steps_);
  unedited_steps_ = 0;  // should memory run out on the way, nothing is taken for granted
  executor_.forward(model_.parameters, tokens_, &taps, start);
  // A tapped input or result of single heads is computed a head at a time, which may round otherwise:
  // what is only recorded counts as edited, so that no later run depends on it.
  unedited_steps_ = first;
}

Result<std::span<const float>> Runner::run(std::span<const model::Token> tokens,
                                           const Edits& edits) {
  Recording nothing;
  return record(tokens, {}, nothing, edits);
}

Result<std::span<const float>> Runner::record(std::span<const model::Token> tokens,
                                              std::span<const std::string> names,
                                              Recording& recording, const Edits& edits) {
  model::Taps<float> taps(model_.program);
  if (Status status = connect(edits, taps); !status) return status.error();
  std::size_t first = *first_step(model_.program, edits);
  for (const std::string& name : names) {
    const Result<std::size_t> step = first_step(model_.program, name, std::nullopt);
    if (!step) return step.error();
    first = std::min(first, *step);
    const auto look = [&recording](const model::Tapped& at, math::Matrix<float> seen) {
      keep(at, seen, recording);
    };
    if (Status status = taps.on_forward(name, look); !status) return status.error();
  }
  forward(tokens, taps, first);
  return executor_.losses();
}

double Runner::log_probability(std::size_t t, model::Token token) {
  const math::Matrix<const float> logits = executor_.logits();
  const float* row = logits.row(t);
  const auto largest = static_cast<double>(*std::max_element(row, row + logits.cols));
  double sum = 0;
  for (std::size_t v = 0; v < logits.cols; ++v) {
    sum += std::exp(static_cast<double>(row[v]) - largest);
  }
  return static_cast<double>(row[token]) - largest - std::log(sum);
}

}  // namespace lookback::lens
