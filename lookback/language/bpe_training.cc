#include "lookback/language/bpe_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_set>
#include <utility>
#include <vector>

namespace lookback::language {
namespace {

using PairKey = std::uint64_t;

PairKey pair_key(Token left, Token right) { return PairKey{left} << 32 | right; }

struct Word {
  std::vector<Token> tokens;
  std::uint64_t count = 0;
};

/// A pair with its count at some time. The largest is merged next.
struct Candidate {
  std::uint64_t count = 0;
  PairKey pair = 0;

  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

struct PairStatistics {
  std::uint64_t count = 0;
  std::vector<std::uint32_t> words;  ///< all that hold the pair, and some that no longer do
  bool merged = false;
};

/// Words as tokens, with pair counts that are updated at every merge.
class PairCounts {
 public:
  explicit PairCounts(std::vector<Word> words) : words_(std::move(words)) {
    for (std::uint32_t i = 0; i < words_.size(); ++i) {
      const std::vector<Token>& tokens = words_[i].tokens;
      for (std::size_t at = 0; at + 1 < tokens.size(); ++at) count(i, tokens[at], tokens[at + 1]);
    }
    for (const auto& [pair, statistics] : pairs_) queue_.push({statistics.count, pair});
    touched_.clear();
  }

  /// The most frequent pair, if it is frequent enough. It is not returned again.
  std::optional<PairKey> take_most_frequent() {
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      if (top.count < least_pair_count) return std::nullopt;
      queue_.pop();
      PairStatistics& statistics = pairs_[top.pair];
      if (statistics.merged) continue;
      if (statistics.count != top.count) {  // it has become rarer since, or was queued anew
        if (statistics.count < top.count) queue_.push({statistics.count, top.pair});
        continue;
      }
      statistics.merged = true;
      return top.pair;
    }
    return std::nullopt;
  }

  /// Replaces the pair by `result` in every word, from left to right.
  void merge(PairKey pair, Token result) {
    std::vector<std::uint32_t> holders = std::move(pairs_[pair].words);
    std::ranges::sort(holders);
    holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
    for (const std::uint32_t word : holders) merge_in(word, pair, result);
    for (const PairKey changed : touched_) {
      const PairStatistics& statistics = pairs_[changed];
      if (!statistics.merged) queue_.push({statistics.count, changed});
    }
    touched_.clear();
  }

 private:
  void count(std::uint32_t word, Token left, Token right) {
    const PairKey pair = pair_key(left, right);
    PairStatistics& statistics = pairs_[pair];
    statistics.count += words_[word].count;
    if (statistics.words.empty() || statistics.words.back() != word) {
      statistics.words.push_back(word);
    }
    touched_.insert(pair);
  }

  void uncount(std::uint32_t word, Token left, Token right) {
    pairs_[pair_key(left, right)].count -= words_[word].count;
  }

  void merge_in(std::uint32_t word, PairKey pair, Token result) {
    std::vector<Token>& tokens = words_[word].tokens;
    std::size_t kept = 0;
    for (std::size_t at = 0; at < tokens.size();) {
      const bool here = at + 1 < tokens.size() && pair_key(tokens[at], tokens[at + 1]) == pair;
      if (!here) {
        tokens[kept++] = tokens[at++];
        continue;
      }
      const Token left = tokens[at], right = tokens[at + 1];
      uncount(word, left, right);
      if (kept > 0) {
        uncount(word, tokens[kept - 1], left);
        count(word, tokens[kept - 1], result);
      }
      at += 2;
      if (at < tokens.size()) {
        uncount(word, right, tokens[at]);
        count(word, result, tokens[at]);
      }
      // What follows is compared with the result, which now precedes it.
      tokens[kept++] = result;
    }
    tokens.resize(kept);
  }

  std::vector<Word> words_;
  std::unordered_map<PairKey, PairStatistics> pairs_;
  std::priority_queue<Candidate> queue_;
  std::unordered_set<PairKey> touched_;  ///< pairs that became more frequent
};

}  // namespace

void BpeTraining::add(std::string_view text) {
  PreTokenizer::Pieces pieces(splitter_, text);
  std::string_view piece;
  while (pieces.next(piece)) {
    if (piece.size() == 1 || piece.size() > longest_learnt_piece) continue;
    const auto at = pieces_.find(piece);
    if (at != pieces_.end()) {
      ++at->second;
    } else {
      pieces_.emplace(piece, 1);
    }
  }
}

Result<Vocabulary> BpeTraining::train(std::size_t size) const {
  if (size < least_vocabulary || size > most_tokens) {
    return Error{fmt::format("found a vocabulary of {}, allowed {} to {}: 256 bytes, {}, merges",
                             size, least_vocabulary, most_tokens, end_of_text)};
  }
  Vocabulary vocabulary = bytes_alone();
  const std::array<Token, 256> bytes = byte_tokens(vocabulary);
  std::vector<Word> words;
  words.reserve(pieces_.size());
  for (const auto& [piece, count] : pieces_) {
    words.push_back({{}, count});
    for (const char c : piece) words.back().tokens.push_back(bytes[static_cast<unsigned char>(c)]);
  }
  PairCounts pairs(std::move(words));
  std::unordered_map<std::string, Token> ids;
  while (vocabulary.size() + 1 < size) {
    const std::optional<PairKey> pair = pairs.take_most_frequent();
    if (!pair) {
      return Error{
          fmt::format("found pairs for a vocabulary of only {}, asked for {}; give more text or "
                      "a smaller vocabulary",
                      vocabulary.size() + 1, size)};
    }
    const auto left = static_cast<Token>(*pair >> 32), right = static_cast<Token>(*pair);
    // Two pairs may make the same token ("a bc" and "ab c"): it keeps its id.
    std::string whole = vocabulary.tokens[left] + vocabulary.tokens[right];
    const auto [at, added] = ids.emplace(whole, static_cast<Token>(vocabulary.size()));
    if (added) vocabulary.tokens.push_back(std::move(whole));
    vocabulary.merges.push_back({left, right, at->second});
    pairs.merge(*pair, at->second);
  }
  append_special(vocabulary, end_of_text);
  return vocabulary;
}

}  // namespace lookback::language
