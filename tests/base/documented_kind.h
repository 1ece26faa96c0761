// The rows of docs/formats.md that describe a kind and its keys.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "lookback/base/kind.h"

namespace lookback::test {

struct DocumentedValue {
  const base::Key& key;

  std::string operator()(double value) const {
    return fmt::format("`{}` = {} | {} to {}", key.name, value, key.least, key.most);
  }
  std::string operator()(std::int64_t value) const {
    return fmt::format("`{}` = {} | {:.0f} to {:.0f}", key.name, value, key.least, key.most);
  }
  std::string operator()(bool value) const {
    return fmt::format("`{}` = {} | true, false", key.name, value);
  }
  std::string operator()(const std::string& value) const {
    const std::string allowed = key.options.empty()
                                    ? std::string("a text")
                                    : fmt::format("\"{}\"", fmt::join(key.options, "\", \""));
    return fmt::format("`{}` = \"{}\" | {}", key.name, value, allowed);
  }
  std::string operator()(const base::Range& value) const {
    return fmt::format("`{}` = [{}, {}] | {:.0f} to {:.0f}", key.name, value.first, value.second,
                       key.least, key.most);
  }
};

/// "| | `momentum` = 0.9 | 0 to 0.999999 | the share ... |", a line for each key.
inline std::string documented_keys(const base::Kind& kind) {
  std::string rows;
  for (const base::Key& key : kind.keys) {
    rows +=
        fmt::format("| | {} | {} |\n", std::visit(DocumentedValue{key}, key.fallback), key.meaning);
  }
  return rows;
}

}  // namespace lookback::test
