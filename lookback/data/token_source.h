// Where training and evaluation sequences come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookback::data {

using Token = std::uint32_t;

/// Sequences of T tokens over a vocabulary of V, each a pure function of (source, index): any of
/// them can be drawn alone, in any order, by any thread.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  virtual std::size_t length() const = 0;      ///< T
  virtual std::size_t vocabulary() const = 0;  ///< V; every token is below it

  /// Fills tokens [T] with sequence number `index`. REQUIRES tokens.size() == length().
  virtual void draw(std::uint64_t index, std::span<Token> tokens) const = 0;

  /// What each prediction of sequence number `index` counts in the loss [T-1], at least 0, some above 0.
  /// Empty: all alike.
  virtual std::vector<float> weights(std::uint64_t /*index*/) const { return {}; }

  /// draw() as a vector of its own.
  std::vector<Token> sequence(std::uint64_t index) const {
    std::vector<Token> tokens(length());
    draw(index, tokens);
    return tokens;
  }
};

}  // namespace lookback::data
