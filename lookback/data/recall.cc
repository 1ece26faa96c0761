#include "lookback/data/recall.h"

#include <fmt/format.h>

#include "lookback/base/permutation.h"

namespace lookback::data {
namespace {

constexpr const char* recall_name = "mqar";

/// Of a source: predictions of a value count, and no others.
class Recall final : public Task {
 public:
  Recall(std::size_t pairs, const TaskSizes& sizes) : pairs_(pairs), sizes_(sizes) {
    profile_.name = recall_name;
    profile_.description = fmt::format("{}: T = {}, V = {}, {} pairs", recall_name, sizes.length,
                                       sizes.vocabulary, pairs);
    profile_.helped_first = 2 * pairs;
  }

  std::size_t length() const override { return sizes_.length; }
  std::size_t vocabulary() const override { return sizes_.vocabulary; }
  const TaskProfile& profile() const override { return profile_; }

  void draw(std::uint64_t index, std::span<Token> tokens) const override {
    base::RandomStream stream(sizes_.seed, sizes_.purpose, index);
    draw_recall(stream, index, sizes_.vocabulary, pairs_, tokens);
  }

  Structure structure(std::uint64_t index) const override {
    base::RandomStream stream(sizes_.seed, sizes_.purpose, index);
    std::vector<Token> tokens(sizes_.length);
    const auto asked = draw_recall(stream, index, sizes_.vocabulary, pairs_, tokens);
    Structure structure(sizes_.length);
    structure.opening = 2 * pairs_;
    for (std::size_t t = 0; t < structure.opening; ++t) structure.occurrence[t] = 0;
    for (std::size_t query = 0; query < asked.size(); ++query) {
      const std::size_t t = structure.opening + 2 * query;
      const auto showing = static_cast<Position>(1 + query / pairs_);
      structure.occurrence[t] = structure.occurrence[t + 1] = showing;
      structure.add_answer(t, 2 * asked[query] + 1);
    }
    return structure;
  }

  std::vector<float> weights(std::uint64_t /*index*/) const override {
    std::vector<float> weights(sizes_.length - 1);
    for (std::size_t t = 2 * pairs_; t < weights.size(); t += 2) weights[t] = 1;
    return weights;
  }

 private:
  std::size_t pairs_;
  TaskSizes sizes_;
  TaskProfile profile_;
};

Result<std::unique_ptr<Task>> make_recall(const base::KindConfig& config, const TaskSizes& sizes) {
  const auto asked = static_cast<std::size_t>(config.integer("pairs"));
  const std::size_t pairs = asked > 0 ? asked : sizes.length / 4;
  if (pairs == 0 || sizes.length < 2 * pairs + 2) {
    return Error{fmt::format("{}: found a length of {} for {} pairs, allowed: at least {}",
                             recall_name, sizes.length, pairs, 2 * pairs + 2)};
  }
  if (sizes.vocabulary / 2 < pairs) {
    return Error{fmt::format(
        "{}: found a vocabulary of {} for {} pairs, allowed: at least {}, half of them keys",
        recall_name, sizes.vocabulary, pairs, 2 * pairs)};
  }
  return std::unique_ptr<Task>(std::make_unique<Recall>(pairs, sizes));
}

}  // namespace

std::vector<std::size_t> draw_recall(base::RandomStream& stream, std::uint64_t index,
                                     std::size_t symbols, std::size_t pairs,
                                     std::span<Token> tokens) {
  const std::size_t half = symbols / 2;
  const base::Permutation keys(half, stream.next(), index);
  const std::uint64_t order = stream.next();
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    tokens[2 * pair] = static_cast<Token>(keys(pair));
    tokens[2 * pair + 1] = static_cast<Token>(half + stream.below(symbols - half));
  }
  std::vector<std::size_t> asked;
  asked.reserve((tokens.size() - 2 * pairs) / 2);
  for (std::size_t t = 2 * pairs; t < tokens.size(); t += 2) {
    const std::size_t round = asked.size() / pairs;
    const std::size_t pair = base::Permutation(pairs, order + round, index)(asked.size() % pairs);
    tokens[t] = tokens[2 * pair];
    if (t + 1 == tokens.size()) break;  // a key at the end, whose value has no place
    tokens[t + 1] = tokens[2 * pair + 1];
    asked.push_back(pair);
  }
  return asked;
}

TaskKind mqar_kind() {
  TaskKind row;
  row.name = recall_name;
  row.meaning =
      "multi-query associative recall (Arora et al. 2023): keys with values, then the keys again";
  row.keys = {{.name = "pairs",
               .fallback = std::int64_t{0},
               .least = 0,
               .most = 1 << 18,
               .meaning = "keys with their values; 0: a quarter of the length"}};
  row.make = make_recall;
  row.probes = {recall_name, "random-repeat"};
  return row;
}

}  // namespace lookback::data
