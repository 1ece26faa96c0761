#include "lookback/report/checkpoint_choice.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "lookback/base/require.h"

namespace lookback::report {
namespace {

/// Enough stops of a slider to see a head form; beyond this, more seeds take precedence over more
/// stops.
constexpr std::size_t enough_stops = 24;

std::vector<std::size_t> every_nth(std::size_t count, std::size_t n) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; i += n) kept.push_back(i);
  if (count > 0 && kept.back() != count - 1) kept.push_back(count - 1);
  return kept;
}

class Chooser {
 public:
  Chooser(std::span<const CheckpointList> runs, std::span<const CheckpointBytes> of_arm,
          const CheckpointLimits& limits)
      : runs_(runs), of_arm_(of_arm), limits_(limits) {
    for (const CheckpointList& run : runs) {
      if (!can_be_shown(run)) continue;
      seeds_.insert(run.seed);
      longest_ = std::max(longest_, run.count);
    }
  }

  std::vector<std::vector<std::size_t>> choose() {
    if (longest_ == 0) return std::vector<std::vector<std::size_t>>(runs_.size());
    std::size_t n = 1;
    while (!fits(n) && stops(n + 1) >= enough_stops) ++n;
    while (!fits(n) && seeds_.size() > 1) seeds_.erase(std::prev(seeds_.end()));
    while (!fits(n) && n < longest_) ++n;
    if (!fits(n)) return last_of_each_arm();
    while (n > 1 && fits(n - 1)) --n;  // what seeds have left behind
    std::vector<std::vector<std::size_t>> kept;
    for (const CheckpointList& run : runs_) {
      kept.push_back(is_chosen(run) ? every_nth(run.count, n) : std::vector<std::size_t>());
    }
    return kept;
  }

 private:
  bool can_be_shown(const CheckpointList& run) const {
    const CheckpointBytes& one = of_arm_[run.arm];
    return one.maps + one.circuits > 0 && one.maps <= limits_.maps &&
           one.circuits <= limits_.circuits;
  }
  bool is_chosen(const CheckpointList& run) const {
    return can_be_shown(run) && seeds_.contains(run.seed);
  }
  std::size_t stops(std::size_t n) const { return every_nth(longest_, n).size(); }

  bool fits(std::size_t n) const {
    CheckpointBytes all;
    for (const CheckpointList& run : runs_) {
      if (!is_chosen(run)) continue;
      const std::size_t count = every_nth(run.count, n).size();
      all.maps += count * of_arm_[run.arm].maps;
      all.circuits += count * of_arm_[run.arm].circuits;
    }
    return all.maps <= limits_.maps && all.circuits <= limits_.circuits;
  }

  std::vector<std::vector<std::size_t>> last_of_each_arm() const {
    std::vector<std::vector<std::size_t>> kept(runs_.size());
    CheckpointBytes all;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (!is_chosen(runs_[i]) || runs_[i].count == 0) continue;
      const CheckpointBytes& one = of_arm_[runs_[i].arm];
      if (all.maps + one.maps > limits_.maps || all.circuits + one.circuits > limits_.circuits) {
        continue;
      }
      all.maps += one.maps;
      all.circuits += one.circuits;
      kept[i] = {runs_[i].count - 1};
    }
    return kept;
  }

  std::span<const CheckpointList> runs_;
  std::span<const CheckpointBytes> of_arm_;
  CheckpointLimits limits_;
  std::set<std::uint64_t> seeds_;
  std::size_t longest_ = 0;
};

}  // namespace

std::vector<std::vector<std::size_t>> choose_checkpoints(std::span<const CheckpointList> runs,
                                                         std::span<const CheckpointBytes> of_arm,
                                                         const CheckpointLimits& limits) {
  LOOKBACK_REQUIRE(
      std::ranges::all_of(runs, [&](const auto& run) { return run.arm < of_arm.size(); }));
  return Chooser(runs, of_arm, limits).choose();
}

}  // namespace lookback::report
