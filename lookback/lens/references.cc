#include "lookback/lens/references.h"

#include <algorithm>

namespace lookback::lens {

Result<std::shared_ptr<const Recording>> References::mean(std::size_t group,
                                                          std::span<const std::string> names,
                                                          const data::TokenSource& probe,
                                                          Runner& runner) {
  Group& kept = groups_[group];
  std::vector<std::string> all = kept.names;
  for (const std::string& name : names) {
    if (std::ranges::find(all, name) == all.end()) all.push_back(name);
  }
  if (kept.mean != nullptr && all.size() == kept.names.size()) return kept.mean;

  RecordingSum sum;
  Recording recording;  // one for all references: each writes over the last
  for (std::size_t i = 0; i < references_per_group; ++i) {
    const auto tokens = probe.sequence(first_reference + group * references_per_group + i);
    if (const auto run = runner.record(tokens, all, recording); !run) return run.error();
    sum.add(recording);
  }
  auto mean = std::make_shared<const Recording>(sum.mean());
  if (mean->bytes() <= memory_ / groups_.size()) kept = {std::move(all), mean};
  return mean;
}

}  // namespace lookback::lens
