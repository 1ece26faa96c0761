// Byte-pair merges of one piece: of the adjacent pairs that merge, the lowest rank always goes
// first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "lookback/data/token_source.h"

namespace lookback::language {

using data::Token;

/// Two tokens that become one. Its rank is its place in a list of merges.
struct Merge {
  Token left = 0, right = 0, result = 0;

  bool operator==(const Merge&) const = default;
};

/// The merges of a vocabulary by their pairs: a hash table with open addressing.
class MergeTable {
 public:
  struct Found {
    std::uint32_t rank = absent;
    Token result = 0;
  };
  static constexpr std::uint32_t absent = ~std::uint32_t{0};

  explicit MergeTable(std::size_t expected = 0);

  /// Adds a merge after all existing ones. Returns false, and adds nothing, if the pair exists.
  bool add(const Merge& merge);

  Found find(Token left, Token right) const {
    const std::uint64_t key = std::uint64_t{left} << 32 | right;
    for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
      if (slots_[i].found.rank == absent) return {};
      if (slots_[i].key == key) return slots_[i].found;
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    Found found;
  };
  std::size_t slot_of(std::uint64_t key) const {
    return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15u) >> shift_);
  }
  void grow();
  void insert(const Slot& slot);

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  int shift_ = 64;
  std::uint32_t count_ = 0;
};

/// Scratch memory of merging, reused from piece to piece.
class Merger {
 public:
  /// Appends the tokens of `piece` to `tokens`: each byte becomes its token in `bytes`, then pairs
  /// are merged. Equal ranks go from left to right. n log n in the length. REQUIRES piece.size() <=
  /// longest_piece.
  void merge(const MergeTable& table, const std::array<Token, 256>& bytes, std::string_view piece,
             std::vector<Token>& tokens);

 private:
  struct Link {
    Token token;
    std::uint32_t before, after;
  };
  void merge_long(const MergeTable& table, std::vector<Token>& tokens);
  std::uint32_t rank_at(const MergeTable& table, std::uint32_t at) const;

  std::vector<Token> parts_;
  std::vector<std::uint32_t> ranks_;
  std::vector<Link> links_;
  std::vector<std::uint64_t> queue_;
};

}  // namespace lookback::language
