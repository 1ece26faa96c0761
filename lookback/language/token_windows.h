// Windows of T tokens from a token file: what a language model is trained and validated on.
//
// Legend: T positions, V tokens.
#pragma once

#include <memory>
#include <utility>

#include "lookback/base/require.h"
#include "lookback/data/token_source.h"
#include "lookback/language/token_file.h"

namespace lookback::language {

/// Windows in a random order, epoch after epoch. Each epoch cuts the file into windows of T tokens
/// from its own offset below T, so that windows do not always start at the same places. Each of the
/// n = (tokens - (T - 1)) / T windows comes once, in an order that is a pure function of (seed,
/// epoch); so window i over all epochs is a pure function of (file, seed, i). Documents follow each
/// other within a window, as in GPT-2's training.
class ShuffledWindows final : public data::TokenSource {
 public:
  /// REQUIRES that check_windows(file, length) succeeds.
  ShuffledWindows(std::shared_ptr<const TokenFile> file, std::size_t length, std::uint64_t seed);

  std::size_t length() const override { return length_; }
  std::size_t vocabulary() const override { return file_->vocabulary(); }
  void draw(std::uint64_t index, std::span<data::Token> tokens) const override;

  std::uint64_t windows_an_epoch() const { return windows_; }

 private:
  std::shared_ptr<const TokenFile> file_;
  std::size_t length_;
  std::uint64_t seed_;
  std::uint64_t windows_ = 0;
};

/// Windows of which some repeat themselves: with probability `share`, window i repeats its first P
/// tokens until it is full, P uniform on {min_period..max_period}, both drawn from (seed, i).
/// Unlike web pages, novels do not repeat themselves word for word; this adds the missing pressure
/// towards copying, in a known amount.
class RepeatedWindows final : public data::TokenSource {
 public:
  struct Repeats {
    double share = 0;
    std::size_t min_period = 0;
    std::size_t max_period = 0;
  };

  /// REQUIRES 1 <= min_period <= max_period.
  RepeatedWindows(std::unique_ptr<const data::TokenSource> windows, const Repeats& repeats,
                  std::uint64_t seed)
      : windows_(std::move(windows)), repeats_(repeats), seed_(seed) {
    LOOKBACK_REQUIRE(repeats.min_period >= 1 && repeats.min_period <= repeats.max_period);
  }

  std::size_t length() const override { return windows_->length(); }
  std::size_t vocabulary() const override { return windows_->vocabulary(); }
  void draw(std::uint64_t index, std::span<data::Token> tokens) const override;

 private:
  std::unique_ptr<const data::TokenSource> windows_;
  Repeats repeats_;
  std::uint64_t seed_;
};

/// Held-out windows, spread evenly over the whole file. The file is cut into windows in the order
/// of the text, each beginning with the token that the one before ended with, so that every token
/// but the first is predicted once; what is left over at the end is not read. Of these n windows, k
/// = min(n, most) are taken: the middle one of each of the k stretches that begin at windows
/// floor(i n / k). So the choice is a pure function of the file's length, T and `most`, no two
/// windows predict the same token, and all n are taken if `most` allows.
class SpreadWindows final : public data::TokenSource {
 public:
  /// REQUIRES that check_windows(file, length) succeeds, and most >= 1.
  SpreadWindows(std::shared_ptr<const TokenFile> file, std::size_t length, std::uint64_t most);

  std::size_t length() const override { return length_; }
  std::size_t vocabulary() const override { return file_->vocabulary(); }
  /// In the order of the text. REQUIRES index < windows().
  void draw(std::uint64_t index, std::span<data::Token> tokens) const override;

  std::uint64_t windows() const { return windows_; }          ///< k
  std::uint64_t all_windows() const { return all_windows_; }  ///< n

 private:
  std::shared_ptr<const TokenFile> file_;
  std::size_t length_;
  std::uint64_t all_windows_ = 0;
  std::uint64_t windows_ = 0;
};

/// Whether windows of `length` tokens, at least 2, can be drawn: at least one from every offset.
/// The error says what was found and what is allowed.
Status check_windows(const TokenFile& file, std::size_t length);

}  // namespace lookback::language
