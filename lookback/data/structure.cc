#include "lookback/data/structure.h"

namespace lookback::data {

std::span<const Position> Structure::answers(std::size_t t) const {
  if (t >= filled_) return {};  // beyond the last answer
  return std::span(sources_).subspan(first_[t], first_[t + 1] - first_[t]);
}

void Structure::add_answer(std::size_t t, std::size_t s) {
  for (; filled_ <= t; ++filled_) first_[filled_] = first_[filled_ + 1] = sources_.size();
  sources_.push_back(static_cast<Position>(s));
  first_[t + 1] = sources_.size();
}

}  // namespace lookback::data
