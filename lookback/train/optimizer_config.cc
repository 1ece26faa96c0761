#include "lookback/train/optimizer_config.h"

#include <algorithm>
#include <array>

#include "lookback/base/require.h"
#include "lookback/train/optimizer.h"

namespace lookback::train {
namespace {

constexpr std::array<std::string_view, 5> keys_of_0_2 = {"beta1", "beta2", "epsilon",
                                                         "weight_decay", "decay_all"};

}  // namespace

OptimizerConfig::OptimizerConfig(std::string_view name) : base::KindConfig(*find_optimizer(name)) {}

OptimizerConfig read_optimizer(base::TableReader table) {
  OptimizerConfig config;
  static_cast<base::KindConfig&>(config) =
      base::read_kind(table, base::kinds_of(optimizer_kinds()), "optimizer");
  const OptimizerKind& kind = *find_optimizer(config.kind);
  if (kind.check != nullptr) kind.check(config, table);
  return config;
}

std::string to_toml(const OptimizerConfig& config) {
  return "[train.optimizer]\n" + base::to_toml(config, *find_optimizer(config.kind));
}

bool was_in_train(std::string_view key) { return std::ranges::count(keys_of_0_2, key) > 0; }

void move_optimizer_keys(base::Document& config) {
  base::TomlValue* const train = config.root.find("train");
  auto* const table = train == nullptr ? nullptr : std::get_if<base::TomlTable>(&train->data);
  if (table == nullptr || table->find("optimizer") != nullptr) return;
  base::TomlTable optimizer;
  std::erase_if(table->entries, [&](base::TomlEntry& entry) {
    if (!was_in_train(entry.key)) return false;
    optimizer.entries.push_back(std::move(entry));
    return true;
  });
  if (!optimizer.entries.empty()) {
    table->entries.push_back({"optimizer", {std::move(optimizer), train->line}});
  }
}

}  // namespace lookback::train
