// The angles of rotary positions.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "lookback/model/architecture.h"

namespace lookback::model {

/// Cosines and sines [T,E/2] of pair i at position t: the angle is t / base^(2 i / E). Su et al. 2021.
template <class N>
struct RotaryTables {
  std::vector<N> cosine, sine;
};

template <class N>
RotaryTables<N> rotary_tables(const Architecture& a, std::size_t length) {
  RotaryTables<N> tables;
  const std::size_t pairs = a.d_head / 2;
  for (std::size_t t = 0; t < length; ++t) {
    for (std::size_t i = 0; i < pairs; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(pairs);
      const double angle = static_cast<double>(t) * std::pow(a.rotary_base, -share);
      tables.cosine.push_back(static_cast<N>(std::cos(angle)));
      tables.sine.push_back(static_cast<N>(std::sin(angle)));
    }
  }
  return tables;
}

}  // namespace lookback::model
