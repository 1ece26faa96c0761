#include "lookback/language/merging.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "lookback/base/require.h"

namespace lookback::language {
namespace {

constexpr std::size_t longest_scanned = 64;  ///< longer pieces are worth a queue
constexpr std::uint32_t no_link = ~std::uint32_t{0};
constexpr Token gone = ~Token{0};  ///< the token of a link that was merged into the one before

}  // namespace

MergeTable::MergeTable(std::size_t expected) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(16, 2 * expected));
  slots_.resize(size);
  mask_ = size - 1;
  shift_ = 64 - std::countr_zero(size);
}

void MergeTable::insert(const Slot& slot) {
  std::size_t i = slot_of(slot.key);
  while (slots_[i].found.rank != absent) i = (i + 1) & mask_;
  slots_[i] = slot;
}

void MergeTable::grow() {
  const std::vector<Slot> old = std::move(slots_);
  *this = [&] {
    MergeTable larger(old.size());
    larger.count_ = count_;
    return larger;
  }();
  for (const Slot& slot : old) {
    if (slot.found.rank != absent) insert(slot);
  }
}

bool MergeTable::add(const Merge& merge) {
  if (find(merge.left, merge.right).rank != absent) return false;
  if (2 * (std::size_t{count_} + 1) > slots_.size()) grow();
  insert({std::uint64_t{merge.left} << 32 | merge.right, {count_, merge.result}});
  ++count_;
  return true;
}

void Merger::merge(const MergeTable& table, const std::array<Token, 256>& bytes,
                   std::string_view piece, std::vector<Token>& tokens) {
  LOOKBACK_REQUIRE(piece.size() <= longest_piece);
  parts_.resize(piece.size());
  std::ranges::transform(piece, parts_.begin(),
                         [&](char c) { return bytes[static_cast<unsigned char>(c)]; });
  if (parts_.size() > longest_scanned) return merge_long(table, tokens);
  // ranks_[i] is that of parts i and i + 1.
  ranks_.resize(parts_.size());
  const auto rank = [&](std::size_t i) { return table.find(parts_[i], parts_[i + 1]).rank; };
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) ranks_[i] = rank(i);
  while (parts_.size() > 1) {
    const auto least = std::min_element(ranks_.begin(), ranks_.begin() + parts_.size() - 1);
    if (*least == MergeTable::absent) break;
    const auto at = static_cast<std::size_t>(least - ranks_.begin());
    parts_[at] = table.find(parts_[at], parts_[at + 1]).result;
    parts_.erase(parts_.begin() + at + 1);
    ranks_.erase(ranks_.begin() + at);
    if (at + 1 < parts_.size()) ranks_[at] = rank(at);
    if (at > 0) ranks_[at - 1] = rank(at - 1);
  }
  tokens.insert(tokens.end(), parts_.begin(), parts_.end());
}

std::uint32_t Merger::rank_at(const MergeTable& table, std::uint32_t at) const {
  const Link& link = links_[at];
  if (link.token == gone || link.after == no_link) return MergeTable::absent;
  return table.find(link.token, links_[link.after].token).rank;
}

void Merger::merge_long(const MergeTable& table, std::vector<Token>& tokens) {
  const auto size = static_cast<std::uint32_t>(parts_.size());
  links_.resize(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    links_[i] = {parts_[i], i == 0 ? no_link : i - 1, i + 1 == size ? no_link : i + 1};
  }
  // Entries are rank, then place: the smallest is the leftmost of the lowest rank. An outdated
  // entry is skipped; whatever changed its place has queued that again.
  const std::greater<> later;
  const auto entry = [](std::uint32_t rank, std::uint32_t at) {
    return std::uint64_t{rank} << 32 | at;
  };
  queue_.clear();
  for (std::uint32_t i = 0; i < size; ++i) {
    if (const auto rank = rank_at(table, i); rank != MergeTable::absent) {
      queue_.push_back(entry(rank, i));
    }
  }
  std::ranges::make_heap(queue_, later);
  const auto push = [&](std::uint32_t at) {
    const std::uint32_t rank = at == no_link ? MergeTable::absent : rank_at(table, at);
    if (rank == MergeTable::absent) return;
    queue_.push_back(entry(rank, at));
    std::ranges::push_heap(queue_, later);
  };
  while (!queue_.empty()) {
    std::ranges::pop_heap(queue_, later);
    const std::uint64_t top = queue_.back();
    queue_.pop_back();
    const auto at = static_cast<std::uint32_t>(top);
    if (rank_at(table, at) != static_cast<std::uint32_t>(top >> 32)) continue;
    Link& left = links_[at];
    Link& right = links_[left.after];
    left.token = table.find(left.token, right.token).result;
    right.token = gone;
    left.after = right.after;
    if (left.after != no_link) links_[left.after].before = at;
    push(at);
    push(left.before);
  }
  for (std::uint32_t at = 0; at != no_link; at = links_[at].after) {
    tokens.push_back(links_[at].token);
  }
}

}  // namespace lookback::language
