#include "lookback/train/optimizer_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lookback/train/optimizer.h"

namespace lookback::train {
namespace {

constexpr std::array<std::string_view, 5> keys_of_0_2 = {"beta1", "beta2", "epsilon",
                                                         "weight_decay", "decay_all"};

bool has_key(const OptimizerKind& kind, std::string_view key) {
  return std::ranges::find(kind.keys, key, &OptimizerKey::name) != kind.keys.end();
}

OptimizerValue read_value(base::TableReader& table, const OptimizerKey& key) {
  if (const double* number = std::get_if<double>(&key.fallback)) {
    return table.number(key.name, *number, key.least, key.most);
  }
  if (const bool* flag = std::get_if<bool>(&key.fallback)) return table.flag(key.name, *flag);
  return table.choice(key.name, std::get<std::string>(key.fallback), key.options);
}

std::string written(const OptimizerValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *text);
  if (const bool* flag = std::get_if<bool>(&value)) return fmt::format("{}", *flag);
  return fmt::format("{}", std::get<double>(value));
}

/// A key that this kind lacks and another has is more than a typing error.
void refuse_keys_of_others(base::TableReader& table, const OptimizerKind& kind) {
  for (const std::string& key : table.keys()) {
    if (key == "kind" || has_key(kind, key)) continue;
    std::vector<std::string> owners;
    for (const OptimizerKind& other : optimizer_kinds()) {
      if (has_key(other, key)) owners.push_back(fmt::format("\"{}\"", other.name));
    }
    if (owners.empty()) continue;  // finish() names the nearest key
    table.fail(key, fmt::format("is a key of kind = {}, but this optimizer is \"{}\"",
                                fmt::join(owners, " or "), kind.name));
  }
}

}  // namespace

OptimizerConfig::OptimizerConfig(std::string_view name) : kind(name) {
  for (const OptimizerKey& key : find_optimizer(name)->keys) values[key.name] = key.fallback;
}

OptimizerConfig read_optimizer(base::TableReader table) {
  std::vector<std::string> names;
  for (const OptimizerKind& kind : optimizer_kinds()) names.push_back(kind.name);
  OptimizerConfig config(table.choice("kind", OptimizerConfig().kind, names));
  const OptimizerKind& kind = *find_optimizer(config.kind);
  for (const OptimizerKey& key : kind.keys) config.values[key.name] = read_value(table, key);
  refuse_keys_of_others(table, kind);
  if (kind.check != nullptr) kind.check(config, table);
  return config;
}

std::string to_toml(const OptimizerConfig& config) {
  std::string text = fmt::format("[train.optimizer]\nkind = \"{}\"\n", config.kind);
  for (const OptimizerKey& key : find_optimizer(config.kind)->keys) {
    text += fmt::format("{} = {}\n", key.name, written(config.values.find(key.name)->second));
  }
  return text;
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
