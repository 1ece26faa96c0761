#include "lookback/study/fitted_config.h"

#include <algorithm>
#include <string>

namespace lookback::study {

RunConfig fitted_config(const model::Architecture& architecture, std::size_t longest,
                        const AskedPeriods& asked) {
  RunConfig config;
  config.architecture = architecture;
  DataConfig& data = config.data;
  data.length = std::min(architecture.context, longest);
  if (data.length > 2) data.length -= data.length % 2;
  const auto third = [](std::size_t whole) { return std::max<std::size_t>(1, whole / 3); };
  data.max_period = asked.max_period.value_or(std::min(data.max_period, third(data.length)));
  data.min_period = asked.min_period.value_or(std::min(data.min_period, third(data.max_period)));
  for (const std::string& name : data::block_kind_names()) {
    const Result<data::BlockKind> kind = data::parse_block_kind(name);
    if (kind && probe_source(config, *kind)) config.evaluate.probes.push_back(*kind);
  }
  return config;
}

}  // namespace lookback::study
