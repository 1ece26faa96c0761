// Which optimizer a run uses, and with which values: the table [train.optimizer] of a study file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lookback/base/toml_table.h"

namespace lookback::train {

using OptimizerValue = std::variant<double, bool, std::string>;

/// One key of an optimizer: the study file's reader and writer, the table in docs/formats.md and the
/// error messages all come from it.
struct OptimizerKey {
  std::string name = {};
  OptimizerValue fallback = {};           ///< its type is the key's type
  double least = 0, most = 0;             ///< limits of a number, both allowed
  std::vector<std::string> options = {};  ///< of a string: the values allowed
  std::string meaning = {};               ///< one line
};

/// An optimizer's kind with a value for each of its keys.
struct OptimizerConfig {
  std::string kind;
  std::map<std::string, OptimizerValue, std::less<>> values;

  /// A kind of the table in optimizer.h, with its defaults. REQUIRES that there is such a kind.
  explicit OptimizerConfig(std::string_view name);
  OptimizerConfig() : OptimizerConfig("adamw") {}

  // The value of a key. REQUIRES that the kind has this key, with this type.
  double number(std::string_view key) const { return get<double>(key); }
  bool flag(std::string_view key) const { return get<bool>(key); }
  const std::string& text(std::string_view key) const { return get<std::string>(key); }

  bool operator==(const OptimizerConfig&) const = default;

 private:
  template <class T>
  const T& get(std::string_view key) const {
    return *std::get_if<T>(&values.find(key)->second);
  }
};

/// Reads [train.optimizer]; the reader's finish() reports errors. A key of another kind is an error
/// that says so.
OptimizerConfig read_optimizer(base::TableReader table);

/// The table [train.optimizer] with every key.
std::string to_toml(const OptimizerConfig& config);

/// The keys of AdamW that [train] had in lookback 0.2, where AdamW was the only optimizer.
bool was_in_train(std::string_view key);

/// Moves those keys from [train] to [train.optimizer], in a configuration that lookback 0.2 wrote.
void move_optimizer_keys(base::Document& config);

}  // namespace lookback::train
