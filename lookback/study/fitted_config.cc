#include "lookback/study/fitted_config.h"

#include <algorithm>
#include <string>

#include "lookback/data/repeated_blocks.h"

namespace lookback::study {

RunConfig fitted_config(const model::Architecture& architecture, std::size_t longest,
                        const AskedPeriods& asked) {
  RunConfig config;
  config.architecture = architecture;
  DataConfig& data = config.data;
  data.length = std::min(architecture.context, longest);
  if (data.length > 2) data.length -= data.length % 2;
  const auto third = [](std::size_t whole) { return std::max<std::size_t>(1, whole / 3); };
  const auto [first, last] = data.task.range("period");
  const std::size_t longest_period =
      asked.max_period.value_or(std::min(static_cast<std::size_t>(last), third(data.length)));
  const std::size_t shortest_period =
      asked.min_period.value_or(std::min(static_cast<std::size_t>(first), third(longest_period)));
  data.task.values["period"] = base::Range{static_cast<std::int64_t>(shortest_period),
                                           static_cast<std::int64_t>(longest_period)};
  for (const std::string& name : data::block_probes()) {
    if (probe_task(config, name)) config.evaluate.probes.push_back(name);
  }
  return config;
}

}  // namespace lookback::study
