// What the maker of a sequence knows of it beside its tokens. Everything that measures a model on a
// task goes by this, whatever the task is.
//
// Legend: T positions. Prediction t, made at position t < T - 1, is of the token x_{t+1}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lookback::data {

using Position = std::uint32_t;

class Structure {
 public:
  /// Nothing is answered, no token belongs to an occurrence, and the opening is the whole sequence.
  explicit Structure(std::size_t length = 0)
      : opening(length), occurrence(length), length_(length), first_(length + 1) {}

  std::size_t length() const { return length_; }  ///< T

  /// The sources s <= t that answer prediction t: where an induction head should look from t, ascending.
  /// Empty where looking back does not tell what comes next, as at T - 1. REQUIRES t < T.
  std::span<const Position> answers(std::size_t t) const;
  bool is_answered(std::size_t t) const { return !answers(t).empty(); }

  /// Adds a source to the answers of prediction t.
  /// REQUIRES s <= t < T - 1, and no earlier call with a later t, or with this t and an s as late.
  void add_answer(std::size_t t, std::size_t s);

  /// Positions from the start before anything can be answered. The previous-token score is taken
  /// there: later a head need not look at the previous token, for matching works without.
  std::size_t opening;

  /// By position [T]: which showing of the repeated part x_t belongs to, from 0; none outside of them.
  std::vector<std::optional<Position>> occurrence;

 private:
  std::size_t length_;
  std::vector<Position> sources_;
  std::vector<std::size_t> first_;  // [T+1]: the sources of t are first_[t] .. first_[t + 1] - 1
  std::size_t filled_ = 0;          // first_ holds up to here
};

}  // namespace lookback::data
