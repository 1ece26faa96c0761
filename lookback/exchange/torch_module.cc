#include "lookback/exchange/torch_module.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "lookback/base/toml_document.h"
#include "lookback/model/architecture_toml.h"

namespace lookback::exchange {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const base::TomlValue& value);

/// The kinds of value that a table [model] has.
struct ToJson {
  ordered_json operator()(const base::TomlArray& items) const {
    ordered_json list = ordered_json::array();
    for (const base::TomlValue& item : items) list.push_back(to_json(item));
    return list;
  }
  ordered_json operator()(const base::TomlTable& table) const {
    ordered_json object = ordered_json::object();
    for (const base::TomlEntry& entry : table.entries) object[entry.key] = to_json(entry.value);
    return object;
  }
  template <class Plain>
  ordered_json operator()(const Plain& plain) const {
    return plain;
  }
};

ordered_json to_json(const base::TomlValue& value) { return std::visit(ToJson{}, value.data); }

}  // namespace

Result<ordered_json> torch_config(const model::Architecture& architecture) {
  const Result<base::Document> tables =
      base::parse_toml(model::to_toml(architecture), "the architecture");
  if (!tables) return tables.error();
  const base::TomlValue* table = tables->root.find("model");
  if (table == nullptr) return Error{"the architecture has no table [model]"};
  ordered_json config{{"format", torch_format}};
  config["norm_epsilon"] = model::norm_epsilon;
  config.update(to_json(*table));
  return config;
}

Layout torch_layout(const model::Program& program) {
  LayoutBuilder layout(program);
  for (const model::ParameterInfo& info : program.parameters) {
    std::vector<std::size_t> shape{info.cols};
    if (info.matrix) shape.insert(shape.begin(), info.rows);
    layout.same(info.name, std::move(shape), info.name);
  }
  return layout.take();
}

}  // namespace lookback::exchange
