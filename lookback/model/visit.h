// Shows an activation, or its gradient, to the hooks set on its names.
#pragma once

#include <algorithm>
#include <limits>

#include "lookback/model/run.h"

namespace lookback::model {

enum class Direction { forward, backward };

/// Writes `value` above the diagonal, which kernels leave unspecified; of the last rows of a square,
/// where it has more columns than rows.
template <class N>
void fill_future(Matrix<N> square, N value) {
  for (std::size_t row = 0; row + 1 < square.rows; ++row) {
    const std::size_t t = square.cols - square.rows + row;
    std::fill(square.row(row) + t + 1, square.row(row) + square.cols, value);
  }
}

/// What hooks see above the diagonal: scores are masked, everything else is zero.
template <class N>
N future_value(const Run<N>& run, SlotId slot, Direction direction) {
  const bool scores = !run.program().slots[slot].in_place.has_value();
  return scores && direction == Direction::forward ? N(-std::numeric_limits<double>::infinity())
                                                   : N{};
}

template <class N>
void call(const std::vector<Hook<N>>& hooks, const SiteInfo& site, std::size_t sequence,
          std::size_t head, Matrix<N> seen) {
  for (const Hook<N>& hook : hooks) hook({site.name, sequence, site.first_head + head}, seen);
}

template <class N>
void visit_site(Run<N>& run, SlotId slot, const SiteInfo& site, const std::vector<Hook<N>>& hooks,
                Direction direction) {
  const bool forward = direction == Direction::forward;
  for (std::size_t b = 0; b < run.batch; ++b) {
    if (run.program().slots[slot].kind == SlotInfo::Kind::square) {
      for (std::size_t h = 0; h < site.heads; ++h) {
        const Matrix<N> m = forward ? run.square(slot, b, h) : run.gradient_square(slot, b, h);
        fill_future(m, future_value(run, slot, direction));
        call(hooks, site, b, h, m);
        fill_future(m, N{});
      }
      continue;
    }
    const Matrix<N> whole = forward ? run.value(slot) : run.gradient(slot);
    if (site.heads == 0) {
      call(hooks, site, b, 0, whole.row_block(b * run.length, run.length));
    }
    for (std::size_t h = 0; h < site.heads; ++h) {
      call(hooks, site, b, h, run.head_of(whole, slot, b, h));
    }
  }
}

/// Calls the hooks of every name of a slot, for every sequence and head; backward, in reverse order
/// of the names, because the last one's hooks saw the activation last.
template <class N>
void visit(Run<N>& run, SlotId slot, Direction direction) {
  if (run.taps == nullptr) return;
  const bool forward = direction == Direction::forward;
  const std::vector<SiteId>& sites = run.program().slots[slot].sites;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const SiteId id = forward ? sites[i] : sites[sites.size() - 1 - i];
    const auto& hooks = forward ? run.taps->forward(id) : run.taps->backward(id);
    if (!hooks.empty()) visit_site(run, slot, run.program().sites[id], hooks, direction);
  }
}

}  // namespace lookback::model
