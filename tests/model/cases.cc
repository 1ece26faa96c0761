#include "tests/model/cases.h"

#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "lookback/model/architecture_toml.h"

namespace lookback::model::spec {
namespace {

/// One choice that a case makes among `levels` ones.
struct Option {
  const char* name;
  std::size_t levels;
  void (*apply)(Case& c, std::size_t level);
};

// Enumerations are listed in their order, so that a level is a value.
constexpr Option options[] = {
    {"steps", 3, [](Case& c, std::size_t v) { c.architecture.steps = v + 1; }},
    {"positions", 4,
     [](Case& c, std::size_t v) { c.architecture.positions = static_cast<Positions>(v); }},
    {"no_ov", 3,
     [](Case& c, std::size_t v) {
       c.architecture.no_ov = v > 0;
       c.architecture.no_ov_value = v == 2 ? NoOvValue::after_rotation : NoOvValue::before_rotation;
     }},
    {"heads", 3, [](Case& c, std::size_t v) { c.architecture.heads = v + 1; }},
    {"norm_between", 3,
     [](Case& c, std::size_t v) { c.architecture.norm_between = static_cast<NormKind>(v); }},
    {"norm", 3, [](Case& c, std::size_t v) { c.architecture.norm = static_cast<NormKind>(v); }},
    {"final_norm", 3,
     [](Case& c, std::size_t v) { c.architecture.final_norm = static_cast<NormKind>(v); }},
    {"mlp", 4,  // none, or one behind each kind of norm
     [](Case& c, std::size_t v) {
       if (v == 0) c.architecture.d_mlp = 0;
       if (v > 0) c.architecture.mlp_norm = static_cast<NormKind>(v - 1);
     }},
    {"layers_without_norm", 3,  // none, the first, the last
     [](Case& c, std::size_t v) {
       if (v > 0) c.architecture.layers_without_norm = {v == 1 ? 0 : c.architecture.layers - 1};
     }},
    {"layers", 2, [](Case& c, std::size_t v) { c.architecture.layers = v + 1; }},
    {"shared_weights", 2, [](Case& c, std::size_t v) { c.architecture.shared_weights = v > 0; }},
    {"step_input", 2,
     [](Case& c, std::size_t v) { c.architecture.step_input = static_cast<StepInput>(v); }},
    {"biases", 2, [](Case& c, std::size_t v) { c.architecture.biases = v > 0; }},
    {"tied_embeddings", 2, [](Case& c, std::size_t v) { c.architecture.tied_embeddings = v > 0; }},
    {"smeared_keys", 2, [](Case& c, std::size_t v) { c.architecture.smeared_keys = v > 0; }},
    {"batch", 2, [](Case& c, std::size_t v) { c.batch = v + 1; }},
    {"length below context", 2, [](Case& c, std::size_t v) { c.length -= 2 * v; }},
};
constexpr std::size_t option_count = std::size(options);

constexpr std::size_t index_of(std::string_view name) {
  std::size_t i = 0;
  while (options[i].name != name) ++i;
  return i;
}
constexpr std::size_t steps = index_of("steps");
constexpr std::size_t positions = index_of("positions");
constexpr std::size_t no_ov = index_of("no_ov");

using Levels = std::vector<std::size_t>;
using Partial = std::vector<std::optional<std::size_t>>;
using Pair = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;

/// Options of sequential steps need several; a value after rotation needs a rotation.
bool meaningful(const Levels& levels) {
  const bool one_step = levels[steps] == 0;
  const bool asks_for_steps = levels[index_of("shared_weights")] > 0 ||
                              levels[index_of("norm_between")] > 0 ||
                              levels[index_of("step_input")] > 0;
  const bool rotary = levels[positions] == static_cast<std::size_t>(Positions::rotary);
  return !(one_step && asks_for_steps) && (levels[no_ov] != 2 || rotary);
}

/// Can the levels chosen so far be part of a meaningful case? Two rotary steps allow the most.
bool possible(const Partial& partial) {
  Levels levels(option_count, 0);
  levels[steps] = 1;
  levels[positions] = static_cast<std::size_t>(Positions::rotary);
  for (std::size_t i = 0; i < option_count; ++i) levels[i] = partial[i].value_or(levels[i]);
  return meaningful(levels);
}

std::set<Pair> possible_pairs() {
  std::set<Pair> pairs;
  for (std::size_t i = 0; i < option_count; ++i) {
    for (std::size_t j = i + 1; j < option_count; ++j) {
      for (std::size_t v = 0; v < options[i].levels; ++v) {
        for (std::size_t w = 0; w < options[j].levels; ++w) {
          Partial partial(option_count);
          partial[i] = v;
          partial[j] = w;
          if (possible(partial)) pairs.insert({i, v, j, w});
        }
      }
    }
  }
  return pairs;
}

void erase_covered(const Levels& levels, std::set<Pair>& pairs) {
  for (std::size_t i = 0; i < option_count; ++i) {
    for (std::size_t j = i + 1; j < option_count; ++j) pairs.erase({i, levels[i], j, levels[j]});
  }
}

std::size_t gain(const Partial& partial, std::size_t option, std::size_t level,
                 const std::set<Pair>& missing) {
  std::size_t count = 0;
  for (std::size_t j = 0; j < option_count; ++j) {
    if (!partial[j] || j == option) continue;
    count += j < option ? missing.count({j, *partial[j], option, level})
                        : missing.count({option, level, j, *partial[j]});
  }
  return count;
}

/// The first missing pair, completed option by option with the level that covers most (Cohen et al.
/// 1997, "The AETG system"). Ties go to another level each time.
Levels next_row(const std::set<Pair>& missing, std::size_t number) {
  Partial partial(option_count);
  const auto [i, v, j, w] = *missing.begin();
  partial[i] = v;
  partial[j] = w;
  Levels levels;
  for (std::size_t option = 0; option < option_count; ++option) {
    if (!partial[option]) {
      std::optional<std::size_t> best;
      for (std::size_t k = 0; k < options[option].levels; ++k) {
        const std::size_t level = (k + number + option) % options[option].levels;
        Partial with = partial;
        with[option] = level;
        if (!possible(with)) continue;
        if (!best ||
            gain(partial, option, level, missing) > gain(partial, option, *best, missing)) {
          best = level;
        }
      }
      partial[option] = best;
    }
    levels.push_back(*partial[option]);
  }
  return levels;
}

std::vector<Levels> covering_rows() {
  std::vector<Levels> rows;
  std::set<Pair> missing = possible_pairs();
  while (!missing.empty()) {
    rows.push_back(next_row(missing, rows.size()));
    erase_covered(rows.back(), missing);
  }
  return rows;
}

Architecture sized(const Sizes& sizes) {
  Architecture a;
  a.vocabulary = sizes.vocabulary;
  a.context = sizes.context;
  a.d_model = sizes.d_model;
  a.d_head = sizes.d_head;
  return a;
}

Case built(const Sizes& sizes, const Levels& levels, std::size_t number) {
  Case c{"Pairs" + std::to_string(number), sized(sizes), 1, sizes.context, levels};
  c.architecture.layers = levels[index_of("layers")] + 1;  // layers_without_norm counts on it
  c.architecture.d_mlp = sizes.d_mlp;
  for (std::size_t i = 0; i < option_count; ++i) options[i].apply(c, levels[i]);
  if (c.architecture.no_ov) c.architecture.d_head = sizes.d_model / c.architecture.heads;
  return c;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name << ", batch " << c.batch << ", length " << c.length << '\n'
             << to_toml(c.architecture);
}

Architecture two_layer(const Sizes& sizes) {
  Architecture a = sized(sizes);
  a.layers = 2;
  return a;
}

Architecture parallel(const Sizes& sizes) {
  Architecture a = sized(sizes);
  a.heads = 2;
  return a;
}

Architecture sequential(const Sizes& sizes) {
  Architecture a = sized(sizes);
  a.steps = 2;
  return a;
}

std::vector<Case> cases(const Sizes& sizes) {
  std::vector<Case> all = {{"TwoLayer", two_layer(sizes), 2, sizes.context, {}},
                           {"Parallel", parallel(sizes), 2, sizes.context, {}},
                           {"Sequential", sequential(sizes), 2, sizes.context, {}}};
  static const std::vector<Levels> covering = covering_rows();
  for (const Levels& levels : covering) all.push_back(built(sizes, levels, all.size() - 3));
  return all;
}

Coverage pair_coverage(const std::vector<Case>& all) {
  std::set<Pair> missing = possible_pairs();
  Coverage coverage{missing.size(), 0};
  for (const Case& c : all) {
    if (c.levels.size() == option_count) erase_covered(c.levels, missing);
  }
  coverage.missing = missing.size();
  return coverage;
}

}  // namespace lookback::model::spec
