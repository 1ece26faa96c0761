#include "lookback/train/clamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "lookback/base/printable.h"
#include "lookback/model/plan.h"

namespace lookback::train {
namespace {

constexpr std::size_t most_clamps = 256;
constexpr std::uint64_t most_tokens = 1'000'000'000'000'000;

const std::array<std::string, 4> kind_names = {"previous-token", "matching", "copying", "freeze"};
const std::array<std::string, 3> to_names = {"initial", "zero", "no-gradient"};

template <class Enum, std::size_t count>
Enum named(const std::array<std::string, count>& names, const std::string& name) {
  return static_cast<Enum>(std::ranges::find(names, name) - names.begin());
}

const std::string& name_of(ClampKind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

/// In a file a name appears between dots.
bool is_plain(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && name.size() <= 100 && std::ranges::all_of(name, plain);
}

/// Refuses keys of the other kinds, which would have no effect.
void refuse_others(base::TableReader& table, ClampKind kind) {
  const auto only = [&](const char* key, bool fits, std::string_view kinds) {
    if (fits || !table.has(key)) return;
    table.fail(key, fmt::format("found in a clamp of kind \"{}\", allowed: with {}", name_of(kind),
                                kinds));
  };
  const bool freezes = kind == ClampKind::freeze;
  only("layer", !freezes, "\"previous-token\", \"matching\" and \"copying\"");
  only("activation", freezes, "\"freeze\"");
  only("to", freezes, "\"freeze\"");
  only("gain", kind == ClampKind::copying, "\"copying\"");
}

Clamp read_clamp(base::TableReader table, const std::string& name, std::uint64_t run_tokens,
                 std::size_t vocabulary) {
  Clamp clamp;
  clamp.name = name;
  table.require("kind", R"(one of "previous-token", "matching", "copying", "freeze")");
  clamp.kind = named<ClampKind>(kind_names, table.choice("kind", kind_names.back(), kind_names));
  refuse_others(table, clamp.kind);
  if (clamp.kind == ClampKind::freeze) {
    table.require("activation", "the name of an activation, such as \"blocks.0.attn.hook_v\"");
    clamp.activation = table.text("activation", "", 200);
    table.require("to", R"(one of "initial", "zero", "no-gradient")");
    clamp.to = named<FreezeTo>(to_names, table.choice("to", to_names.front(), to_names));
  } else {
    table.require("layer", "the number of a layer, from 0");
    clamp.layer = static_cast<std::size_t>(table.integer("layer", 0, 0, 1 << 20));
    table.require("head", "the number of a head of the layer, from 0");
  }
  if (table.has("head")) {
    clamp.head = static_cast<std::size_t>(table.integer("head", 0, 0, 1 << 20));
  }
  if (clamp.kind == ClampKind::copying) {
    clamp.gain = table.number("gain", default_copying_gain(vocabulary), 1e-6, 1e6);
  }
  std::tie(clamp.first, clamp.end) = table.count_range("tokens", {0, run_tokens}, 0, most_tokens);
  return clamp;
}

/// An activation that a clamp sets; without `head`, that of all heads, or one without heads.
struct Place {
  std::string activation;
  std::optional<std::size_t> head;
};

std::vector<Place> places_of(const Clamp& clamp) {
  if (clamp.kind == ClampKind::freeze) return {{clamp.activation, clamp.head}};
  if (clamp.kind != ClampKind::copying) {
    return {{attention_name(clamp.layer, "pattern"), clamp.head}};
  }
  return {{attention_name(clamp.layer, "z"), clamp.head},
          {attention_name(clamp.layer, "result"), clamp.head}};
}

/// Whether two names mean the same activation: the end of a layer is the start of the next.
bool same_activation(const model::Program& program, const std::string& a, const std::string& b) {
  if (a == b) return true;
  return std::ranges::any_of(program.slots, [&](const model::SlotInfo& slot) {
    const auto has = [&](const std::string& name) {
      return std::ranges::any_of(
          slot.sites, [&](model::SiteId site) { return program.sites[site].name == name; });
    };
    return has(a) && has(b);
  });
}

/// The activation that both clamps set at the same time, or none.
std::optional<std::string> contested(const model::Program& program, const Clamp& a,
                                     const Clamp& b) {
  if (a.first >= b.end || b.first >= a.end) return std::nullopt;
  for (const Place& x : places_of(a)) {
    for (const Place& y : places_of(b)) {
      const bool same_head = !x.head || !y.head || *x.head == *y.head;
      if (same_head && same_activation(program, x.activation, y.activation)) return y.activation;
    }
  }
  return std::nullopt;
}

Status check_head(std::size_t head, std::size_t heads) {
  if (head < heads) return {};
  return Error{fmt::format("head is {}, but a layer has {} {} over all its steps, counted from 0",
                           head, heads, heads == 1 ? "head" : "heads")};
}

Status check_freeze(const Clamp& clamp, const model::Program& program) {
  const std::string name = base::printable(clamp.activation, 200);
  const Result<std::size_t> known = model::first_step(program, name, std::nullopt);
  if (!known) return known.error();
  if (clamp.head && model::head_count(program, clamp.activation) == 0) {
    return Error{fmt::format("'{}' is not made of heads; leave out head", clamp.activation)};
  }
  if (clamp.activation == "logits") {
    return Error{"freezing 'logits' leaves nothing to learn: the loss is a function of them alone"};
  }
  if (clamp.to == FreezeTo::zero && clamp.activation.ends_with(".hook_scale")) {
    return Error{fmt::format("'{}' cannot be zero: a norm divides by it", clamp.activation)};
  }
  return clamp.head ? check_head(*clamp.head, program.architecture.heads_per_layer()) : Status{};
}

Status check(const Clamp& clamp, const model::Program& program, std::uint64_t run_tokens) {
  if (clamp.first >= run_tokens) {
    return Error{
        fmt::format("it begins at {} tokens, but the run ends at {}: it would never be in "
                    "force",
                    clamp.first, run_tokens)};
  }
  if (clamp.kind == ClampKind::freeze) return check_freeze(clamp, program);
  const model::Architecture& a = program.architecture;
  if (clamp.layer >= a.layers) {
    return Error{fmt::format("layer is {}, but the model has {} {}, counted from 0", clamp.layer,
                             a.layers, a.layers == 1 ? "layer" : "layers")};
  }
  return check_head(clamp.head.value_or(0), a.heads_per_layer());
}

}  // namespace

double default_copying_gain(std::size_t vocabulary) {
  return std::log((static_cast<double>(vocabulary) - 1) / std::expm1(0.01));
}

std::vector<Clamp> read_clamps(base::TableReader clamps, std::uint64_t run_tokens,
                               std::size_t vocabulary) {
  std::vector<Clamp> read;
  for (const std::string& name : clamps.keys()) {
    base::TableReader table = clamps.table(name);
    if (!is_plain(name)) {
      clamps.fail(name,
                  "found a clamp name with other characters, allowed: letters, digits, - "
                  "and _, at most 100");
    }
    if (read.size() == most_clamps) {
      clamps.fail(name, fmt::format("found too many clamps, allowed: at most {}", most_clamps));
      return read;
    }
    read.push_back(read_clamp(std::move(table), name, run_tokens, vocabulary));
  }
  return read;
}

Status validate(std::span<const Clamp> clamps, const model::Program& program,
                std::uint64_t run_tokens) {
  for (auto clamp = clamps.begin(); clamp != clamps.end(); ++clamp) {
    if (Status fits = check(*clamp, program, run_tokens); !fits) {
      return fits.error().at(fmt::format("clamp.{}", clamp->name));
    }
    for (auto earlier = clamps.begin(); earlier != clamp; ++earlier) {
      if (const auto both = contested(program, *earlier, *clamp)) {
        return Error{
            fmt::format("clamp.{} and clamp.{} both set {} in the same steps; one of them "
                        "would have no effect",
                        earlier->name, clamp->name, *both)};
      }
    }
  }
  return {};
}

std::string to_toml(std::span<const Clamp> clamps) {
  std::string text;
  for (const Clamp& clamp : clamps) {
    text += fmt::format("\n[clamp.{}]\nkind = \"{}\"\n", clamp.name, name_of(clamp.kind));
    if (clamp.kind == ClampKind::freeze) {
      text += fmt::format("activation = \"{}\"\nto = \"{}\"\n", clamp.activation,
                          to_names[static_cast<std::size_t>(clamp.to)]);
    } else {
      text += fmt::format("layer = {}\n", clamp.layer);
    }
    if (clamp.head) text += fmt::format("head = {}\n", *clamp.head);
    if (clamp.kind == ClampKind::copying) text += fmt::format("gain = {}\n", clamp.gain);
    text += fmt::format("tokens = [{}, {}]\n", clamp.first, clamp.end);
  }
  return text;
}

std::string attention_name(std::size_t layer, std::string_view what) {
  return fmt::format("blocks.{}.attn.hook_{}", layer, what);
}

bool sets_pattern(const Clamp& clamp, std::size_t layer, std::size_t head) {
  if (clamp.kind == ClampKind::copying) return false;
  if (clamp.kind == ClampKind::freeze && clamp.to == FreezeTo::no_gradient) return false;
  return std::ranges::any_of(places_of(clamp), [&](const Place& place) {
    const bool decides = place.activation == attention_name(layer, "pattern") ||
                         place.activation == attention_name(layer, "attn_scores");
    return decides && (!place.head || *place.head == head);
  });
}

}  // namespace lookback::train
