#include "lookback/data/repeated_blocks.h"

#include <algorithm>
#include <limits>

#include "lookback/base/require.h"
#include "lookback/data/block_predictor.h"

namespace lookback::data {
namespace {

constexpr std::size_t max_length = std::size_t{1} << 24;
constexpr std::uint64_t max_vocabulary = std::uint64_t{1} << 32;

std::string text_of(const Offsets& range) {
  if (range.first == range.last) return std::to_string(range.first);
  return std::to_string(range.first) + ".." + std::to_string(range.last);
}

/// The most positions that two whole copies of a block of `period` can take, the gap between them
/// included.
std::size_t room_for_two(BlockKind kind, std::size_t period) {
  return kind == BlockKind::broken_period ? 3 * period : 2 * period;
}

/// min/2..min-1 and max+1..2 max, without what is empty or does not fit twice into `length`.
std::vector<Offsets> unseen_periods(const BlockTask& task) {
  std::vector<Offsets> ranges;
  const Offsets shorter{std::max<std::size_t>(task.min_period / 2, 1), task.min_period - 1};
  const Offsets longer{task.max_period + 1, 2 * task.max_period};
  for (Offsets range : {shorter, longer}) {
    range.last = std::min(range.last, task.length / 2);
    if (range.first <= range.last) ranges.push_back(range);
  }
  return ranges;
}

/// What is refused whatever the kind.
Status check_sizes(const BlockTask& task) {
  const std::string where = name_of(task.kind) + ": ";
  if (task.vocabulary < 2 || task.vocabulary > max_vocabulary) {
    return Error{where + "found a vocabulary of " + std::to_string(task.vocabulary) +
                 ", allowed 2 to " + std::to_string(max_vocabulary)};
  }
  if (task.length < 2 || task.length > max_length) {
    return Error{where + "found a length of " + std::to_string(task.length) + ", allowed 2 to " +
                 std::to_string(max_length)};
  }
  return {};
}

Status check_period_range(const BlockTask& task) {
  const std::string where = name_of(task.kind) + ": ";
  if (task.min_period < 1 || task.min_period > task.max_period || task.max_period > max_length) {
    return Error{where + "found periods from " + std::to_string(task.min_period) + " to " +
                 std::to_string(task.max_period) +
                 ", allowed 1 <= first <= last <= " + std::to_string(max_length)};
  }
  const std::size_t needed = room_for_two(task.kind, task.max_period);
  if (task.kind != BlockKind::unseen_period && task.length < needed) {
    return Error{
        where + "found a length of " + std::to_string(task.length) + ", allowed at least " +
        std::to_string(needed) + ": two copies of the longest block, " +
        std::to_string(task.max_period) +
        (task.kind == BlockKind::broken_period ? ", and the longest gap between them" : "")};
  }
  return {};
}

Result<std::vector<Offsets>> allowed_periods(const BlockTask& task) {
  if (task.kind == BlockKind::random_repeat) {
    if (task.length % 2 != 0) {
      return Error{name_of(task.kind) + ": found a length of " + std::to_string(task.length) +
                   ", allowed: an even one, two halves"};
    }
    return std::vector<Offsets>{{task.length / 2, task.length / 2}};
  }
  if (Status status = check_period_range(task); !status) return status.error();
  if (task.kind != BlockKind::unseen_period) {
    return std::vector<Offsets>{{task.min_period, task.max_period}};
  }
  std::vector<Offsets> ranges = unseen_periods(task);
  if (ranges.empty()) {
    return Error{name_of(task.kind) + ": found no period outside " +
                 text_of({task.min_period, task.max_period}) +
                 " that fits twice into a length of " + std::to_string(task.length) +
                 ", allowed: a longer one, or a smaller range"};
  }
  return ranges;
}

std::string description_of(const BlockTask& task, std::span<const Offsets> periods) {
  std::string text = name_of(task.kind) + ": T = " + std::to_string(task.length) +
                     ", V = " + std::to_string(task.vocabulary) + ", periods ";
  for (std::size_t i = 0; i < periods.size(); ++i) {
    text += (i == 0 ? "" : " and ") + text_of(periods[i]);
  }
  if (task.kind == BlockKind::broken_period) text += ", gaps of 1 to a period";
  return text;
}

template <BlockKind kind>
Result<std::unique_ptr<Task>> make(const base::KindConfig& config, const TaskSizes& sizes) {
  const auto [first, last] = config.range("period");
  Result<std::unique_ptr<BlockSource>> source =
      make_block_source({kind, sizes.vocabulary, sizes.length, static_cast<std::size_t>(first),
                         static_cast<std::size_t>(last), sizes.seed, sizes.purpose});
  if (!source) return source.error();
  return std::unique_ptr<Task>(std::move(*source));
}

template <BlockKind kind>
TaskKind row(std::string meaning) {
  TaskKind row;
  row.name = name_of(kind);
  row.meaning = std::move(meaning);
  row.keys = {period_key("the shortest and the longest period that training draws")};
  row.make = make<kind>;
  row.probes = block_probes();
  return row;
}

}  // namespace

base::Key period_key(std::string meaning) {
  return {.name = "period",
          .fallback = base::Range{16, 48},
          .least = 1,
          .most = 1 << 20,
          .meaning = std::move(meaning)};
}

std::vector<std::string> block_probes() {
  return {name_of(BlockKind::repeated_blocks), name_of(BlockKind::unseen_period),
          name_of(BlockKind::broken_period), name_of(BlockKind::random_repeat)};
}

TaskKind repeated_blocks_kind() {
  return row<BlockKind::repeated_blocks>("copies of a random block, without gaps");
}
TaskKind unseen_period_kind() {
  return row<BlockKind::unseen_period>("repeated blocks of periods just outside the trained range");
}
TaskKind broken_period_kind() {
  return row<BlockKind::broken_period>("copies of a random block, with random gaps between them");
}
TaskKind random_repeat_kind() {
  return row<BlockKind::random_repeat>("one random sequence, twice");
}

const std::string& name_of(BlockKind kind) {
  static const std::string names[] = {"repeated-blocks", "unseen-period", "broken-period",
                                      "random-repeat"};
  return names[static_cast<std::size_t>(kind)];
}

std::optional<std::size_t> BlockStructure::occurrence(std::size_t t) const {
  LOOKBACK_REQUIRE(t < length);
  const auto after = std::upper_bound(starts.begin(), starts.end(), t);
  if (after == starts.begin()) return std::nullopt;
  const auto copy = static_cast<std::size_t>(after - starts.begin()) - 1;
  if (t - starts[copy] >= period) return std::nullopt;
  return copy;
}

std::optional<std::size_t> BlockStructure::answer(std::size_t t) const {
  if (t + 1 >= length) return std::nullopt;
  const std::optional<std::size_t> copy = occurrence(t);
  if (!copy || *copy == 0) return std::nullopt;
  const std::size_t offset = t - starts[*copy];
  if (offset + 1 < period) return starts[*copy - 1] + offset + 1;
  // The last token of a copy: what follows is known only when the copies touch, here and before.
  const std::size_t next = *copy + 1;
  const bool touches = next < starts.size() && starts[next] == t + 1;
  const bool touched_before = starts[*copy] == starts[*copy - 1] + period;
  if (!touches || !touched_before) return std::nullopt;
  return starts[*copy];
}

Structure BlockStructure::plain() const {
  Structure structure(length);
  structure.opening = std::min(period, length);
  for (std::size_t t = 0; t < length; ++t) {
    if (const auto copy = occurrence(t)) structure.occurrence[t] = static_cast<Position>(*copy);
    if (const auto source = answer(t)) structure.add_answer(t, *source);
  }
  return structure;
}

std::size_t BlockSource::draw_period(base::RandomStream& stream) const {
  std::size_t choices = 0;
  for (const Offsets& range : profile_.periods) choices += range.last - range.first + 1;
  std::size_t chosen = stream.below(choices);
  for (const Offsets& range : profile_.periods) {
    const std::size_t count = range.last - range.first + 1;
    if (chosen < count) return range.first + chosen;
    chosen -= count;
  }
  return profile_.periods.back().last;  // not reached: chosen < the sum of the counts
}

BlockStructure BlockSource::draw_structure(base::RandomStream& stream) const {
  BlockStructure structure{task_.length, draw_period(stream), {}};
  std::size_t start = 0;
  while (start < task_.length) {
    structure.starts.push_back(start);
    start += structure.period;
    if (task_.kind == BlockKind::broken_period) start += 1 + stream.below(structure.period);
  }
  return structure;
}

BlockStructure BlockSource::blocks(std::uint64_t index) const {
  base::RandomStream stream(task_.seed, task_.purpose, index);
  return draw_structure(stream);
}

void BlockSource::draw(std::uint64_t index, std::span<Token> tokens) const {
  LOOKBACK_REQUIRE(tokens.size() == task_.length);
  base::RandomStream stream(task_.seed, task_.purpose, index);
  const BlockStructure structure = draw_structure(stream);
  const auto random_token = [&] { return static_cast<Token>(stream.below(task_.vocabulary)); };
  // Copy 0 starts at 0 and is whole, so that it is the block; then copies and gaps by turns.
  std::generate_n(tokens.begin(), structure.period, random_token);
  const std::span<const Token> block = tokens.first(structure.period);
  std::size_t filled = structure.period;
  for (std::size_t copy = 1; copy < structure.starts.size(); ++copy) {
    for (; filled < structure.starts[copy]; ++filled) tokens[filled] = random_token();
    const std::size_t count = std::min(structure.period, tokens.size() - filled);
    std::copy_n(block.begin(), count, tokens.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += count;
  }
  for (; filled < tokens.size(); ++filled) tokens[filled] = random_token();
}

std::vector<NamedPredictor> BlockSource::predictors() const {
  std::vector<NamedPredictor> all;
  if (task_.kind == BlockKind::broken_period) return all;
  all.push_back({"bayes", make_block_predictor(task_.vocabulary, profile_.periods), true});
  return all;
}

BlockSource::BlockSource(const BlockTask& task, std::vector<Offsets> periods) : task_(task) {
  profile_.name = name_of(task.kind);
  profile_.description = description_of(task, periods);
  profile_.periods = std::move(periods);
  profile_.habit = Offsets{task.min_period, task.max_period};
  profile_.helped_first = profile_.periods.front().first;
  // Copies that touch are answered from position P on; a gap may hold any later position.
  if (task.kind != BlockKind::broken_period) profile_.helped_from = profile_.periods.back().last;
}

Result<std::unique_ptr<BlockSource>> make_block_source(const BlockTask& task) {
  if (Status status = check_sizes(task); !status) return status.error();
  Result<std::vector<Offsets>> periods = allowed_periods(task);
  if (!periods) return periods.error();
  return std::unique_ptr<BlockSource>(new BlockSource(task, std::move(*periods)));
}

}  // namespace lookback::data
