#include "lookback/report/load_inspection.h"
#include "lookback/study/inspection_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/base/safetensors.h"
#include "lookback/report/json_access.h"
#include "lookback/study/possible_values.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uint64_t most_heads = 1 << 20;

double number_or_nan(const json& value) {
  return find_number(value, {}).value_or(std::numeric_limits<double>::quiet_NaN());
}

/// `text`, cut before a character of UTF-8 where it is too long for a page.
std::string short_of(std::string text) {
  if (text.size() <= most_text_bytes) return text;
  std::size_t end = most_text_bytes;
  const auto continues = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  while (end > 0 && continues(end)) --end;
  text.resize(end);
  return text + "\u2026";
}

/// The string at `path`, or an empty one.
std::string short_text(const json& object, std::initializer_list<std::string_view> path) {
  return short_of(find_text(object, path));
}

/// Two finite numbers in their order; nothing for anything else.
std::optional<LensInterval> find_interval(const json* value) {
  if (value == nullptr || !value->is_array() || value->size() != 2) return std::nullopt;
  const std::optional<double> low = find_number((*value)[0], {});
  const std::optional<double> high = find_number((*value)[1], {});
  if (!low || !high || *low > *high) return std::nullopt;
  return LensInterval{*low, *high};
}

std::optional<LensValue> find_value_of(const json& object, std::string_view key) {
  const std::optional<double> mean = find_number(object, {key, "mean"});
  if (!mean) return std::nullopt;
  return LensValue{*mean, find_interval(find_value(object, {key, "interval"}))};
}

std::optional<LensHead> find_head(const json& object) {
  const auto layer = find_count(object, {"layer"});
  const auto head = find_count(object, {"head"});
  if (!layer || !head || *layer > most_heads || *head > most_heads) return std::nullopt;
  return LensHead{static_cast<std::size_t>(*layer), static_cast<std::size_t>(*head)};
}

/// A head at `key`; null (or absent) is none.
struct MaybeHead {
  bool malformed = false;
  std::optional<LensHead> head;
};
MaybeHead find_head(const json& object, std::string_view key) {
  const json* value = find_value(object, {key});
  if (value == nullptr || value->is_null()) return {};
  const std::optional<LensHead> head = find_head(*value);
  return {!head, head};
}

std::string part_of(const std::optional<LensHead>& head) {
  return head ? "head " + head->name() : "every head";
}

/// Names that become parts of file names, so only known ones are accepted.
constexpr std::array<std::string_view, 6> circuit_kinds = {
    "ov", "qk", "qk_before", "q_composition", "k_composition", "v_composition"};
constexpr std::array<std::string_view, 2> corruptions = {"answer", "match"};

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Whether the log-probabilities of the right answer in the clean and corrupted sequences differ by
/// less than this many nats: a share of that says nothing.
bool hardly_differ(const LensPatching& patching) {
  constexpr double least_difference = 0.1;
  return patching.clean && patching.corrupted &&
         patching.clean->mean - patching.corrupted->mean < least_difference;
}

class InspectionReader {
 public:
  InspectionReader(const json& object, std::string file)
      : object_(object), file_(std::move(file)) {}

  Result<LensResult> read() {
    if (short_text(object_, {"format"}) != study::inspection_format) {
      return Error{file_ + ": key 'format': expected \"" + study::inspection_format + "\""};
    }
    found_.tokens = find_count(object_, {"tokens"}).value_or(0);
    found_.vocabulary = find_count(object_, {"circuits", "vocabulary"}).value_or(0);
    read_mechanism();
    read_ablation();
    read_circuits();
    read_composition();
    each({"patching"}, [&](const json& item) { return add_patching(item); });
    read_skipped();
    if (!fault_.empty()) return Error{fault_};
    return std::move(found_);
  }

 private:
  /// Hands every item of the array at `path` to `add`, which returns whether it is of the right
  /// kind.
  template <class Add>
  void each(std::initializer_list<std::string_view> path, const Add& add) {
    std::string key;
    for (const std::string_view part : path) key += (key.empty() ? "" : ".") + std::string(part);
    each(find_value(object_, path), key, add);
  }
  template <class Add>
  void each(const json* list, const std::string& key, const Add& add) {
    if (!fault_.empty() || list == nullptr) return;
    if (!list->is_array()) {
      fault_ = file_ + ": key '" + key + "': expected an array";
      return;
    }
    for (std::size_t i = 0; i < list->size() && fault_.empty(); ++i) {
      if (add((*list)[i]) || !fault_.empty()) continue;
      fault_ = file_ + ": key '" + key + "': item " + std::to_string(i) + " is malformed";
    }
  }

  void read_skipped() {
    std::size_t lines = 0;
    each({"skipped"}, [&](const json& item) {
      if (!item.is_string()) return false;
      if (++lines <= most_skipped_lines) {
        found_.skipped.push_back(short_of(item.get<std::string>()));
      }
      return true;
    });
    if (lines <= most_skipped_lines) return;
    found_.skipped.push_back("and " + std::to_string(lines - most_skipped_lines) + " more");
  }

  void read_mechanism() {
    const json* mechanism = find_value(object_, {"mechanism"});
    if (mechanism == nullptr) return;
    LensMechanism& found = found_.mechanism;
    found.verdict = short_text(*mechanism, {"verdict"});
    found.reason = short_text(*mechanism, {"reason"});
    const auto add = [&](const json& object, const char* key, const std::string& name) {
      if (const auto value = find_value_of(object, key)) found.facts.push_back({name, *value});
    };
    add(*mechanism, "loss", "second-half loss, nats");
    const MaybeHead head = find_head(*mechanism, "head");
    const std::string copier = head.head ? "head " + head.head->name() : "the head";
    add(*mechanism, "cost", "cost of " + copier + ", nats");
    add(*mechanism, "stake", "its stake, the cost or the gain over chance, nats");
    add(*mechanism, "direct_cost", "of that by its direct path into the logits, nats");
    add(*mechanism, "band", "share lost with a pattern of offsets alone");
    add(*mechanism, "matching", "share lost with ideal matching");
    add(*mechanism, "unsmeared", "share lost without smearing in its keys");
    each(find_value(*mechanism, {"earlier"}), "mechanism.earlier", [&](const json& item) {
      const MaybeHead earlier = find_head(item, "head");
      if (!earlier.head) return false;
      const std::string name = part_of(earlier.head);
      add(item, "k_removed", "share lost without " + name + " in its keys");
      add(item, "q_removed", "share lost without " + name + " in its queries");
      add(item, "previous_token", "share lost with ideal previous-token attention in " + name);
      add(item, "previous_token_only", "share lost with only that part of the pattern of " + name);
      add(item, "duplicate_token", "share lost with ideal duplicate-token attention in " + name);
      add(item, "duplicate_token_only",
          "share lost with only the duplicate-token part of the pattern of " + name);
      return true;
    });
  }

  void read_ablation() {
    found_.probe = short_text(object_, {"ablation", "probe"});
    found_.sequences = find_count(object_, {"ablation", "sequences"}).value_or(0);
    each({"ablation", "paths"},
         [&](const json& item) { return add_path(item, "rise", found_.paths); });
    each({"ablation", "logits"},
         [&](const json& item) { return add_path(item, "rise", found_.logits); });
    each({"ablation", "heads"}, [&](const json& item) { return add_rise(item, "", found_.heads); });
    each({"ablation", "patterns"},
         [&](const json& item) { return add_rise(item, "", found_.patterns); });
    each({"ablation", "values"},
         [&](const json& item) { return add_rise(item, "mean", found_.values); });
    each({"ablation", "norms"}, [&](const json& item) {
      const auto rise = find_value_of(item, "rise");
      const std::string norm = short_text(item, {"norm"});
      if (rise) {
        found_.norms.push_back(
            {norm.empty() ? "every norm" : norm, short_text(item, {"change"}), *rise});
      }
      return item.is_object();
    });
  }

  static bool add_path(const json& item, std::string_view value_key, std::vector<LensPath>& list) {
    const MaybeHead to = find_head(item, "to");
    if (!item.is_object() || to.malformed) return false;
    const auto value = find_value_of(item, value_key);
    std::string change = short_text(item, {"replacement"});
    if (change.empty()) change = "clean";
    if (value) {
      list.push_back({short_text(item, {"from"}), to.head,
                      to.head ? short_text(item, {"input"}) : std::string(), change, *value});
    }
    return true;
  }

  static bool add_rise(const json& item, const std::string& change, std::vector<LensRise>& list) {
    const MaybeHead head = find_head(item, "head");
    if (!item.is_object() || head.malformed) return false;
    const auto rise = find_value_of(item, "rise");
    if (rise) {
      list.push_back(
          {part_of(head.head), change.empty() ? short_text(item, {"replacement"}) : change, *rise});
    }
    return true;
  }

  void read_circuits() {
    each({"circuits", "direct"},
         [&](const json& item) { return add_circuit(item, false, found_.direct); });
    each({"circuits", "composed"},
         [&](const json& item) { return add_circuit(item, true, found_.composed); });
    each({"circuits", "positional"}, [&](const json& item) {
      const MaybeHead head = find_head(item, "head");
      const json* offsets = find_value(item, {"by_offset"});
      if (!head.head || offsets == nullptr || !offsets->is_array()) return false;
      found_.positional.push_back({*head.head, numbers(*offsets)});
      return true;
    });
  }

  static std::vector<double> numbers(const json& list) {
    std::vector<double> values;
    for (const json& value : list) values.push_back(number_or_nan(value));
    return values;
  }

  static bool add_circuit(const json& item, bool composed, std::vector<LensCircuit>& list) {
    const MaybeHead head = find_head(item, "head");
    const MaybeHead from = find_head(item, "from");
    const json* eigenvalues = find_value(item, {"eigenvalues"});
    if (!head.head || from.head.has_value() != composed) return false;
    if (eigenvalues == nullptr || !eigenvalues->is_array()) return false;
    LensCircuit circuit{short_text(item, {"kind"}), *head.head, from.head, {}, 0.0, {}, {}};
    for (const json& value : *eigenvalues) {
      if (!value.is_array() || value.size() != 2) return false;
      const std::complex<double> eigenvalue(number_or_nan(value[0]), number_or_nan(value[1]));
      if (std::isfinite(std::abs(eigenvalue))) circuit.eigenvalues.push_back(eigenvalue);
    }
    if (!is_one_of(circuit_kinds, circuit.kind)) return false;
    circuit.eigenvalue_score = find_number(item, {"eigenvalue_score"}).value_or(0.0);
    circuit.matching_score = find_number(item, {"matching_score"});
    list.push_back(std::move(circuit));
    return true;
  }

  void read_composition() {
    each({"composition"}, [&](const json& item) {
      const MaybeHead from = find_head(item, "from");
      const MaybeHead to = find_head(item, "to");
      if (!from.head || !to.head) return false;
      const auto score = [&](const char* key) { return find_number(item, {key}).value_or(0.0); };
      found_.composition.push_back(
          {*from.head, *to.head, score("q"), score("k"), score("v"), score("baseline")});
      return true;
    });
  }

  bool add_patching(const json& item) {
    if (!item.is_object()) return false;
    LensPatching patching;
    patching.corruption = short_text(item, {"corruption"});
    if (!is_one_of(corruptions, patching.corruption)) return false;
    patching.sequences = find_count(item, {"sequences"}).value_or(0);
    patching.changed = find_count(item, {"changed"}).value_or(0);
    patching.query = find_count(item, {"query"}).value_or(0);
    patching.clean = find_value_of(item, "clean");
    patching.corrupted = find_value_of(item, "corrupted");
    if (hardly_differ(patching)) {
      found_.skipped.push_back(
          "patching, '" + patching.corruption +
          "' corrupted: the clean sequences tell less than a " +
          "tenth of a nat more of the right answer, so there is nothing to restore");
      return true;
    }
    each(find_value(item, {"heads"}), "patching.heads", [&](const json& patch) {
      const MaybeHead head = find_head(patch, "head");
      if (!head.head) return false;
      const json* by_position = find_value(patch, {"by_position"});
      const bool listed = by_position != nullptr && by_position->is_array();
      patching.heads.push_back({*head.head, short_text(patch, {"activation"}),
                                find_value_of(patch, "whole"),
                                listed ? numbers(*by_position) : std::vector<double>()});
      return true;
    });
    each(find_value(item, {"paths"}), "patching.paths",
         [&](const json& path) { return add_path(path, "restored", patching.paths); });
    found_.patchings.push_back(std::move(patching));
    return true;
  }

  const json& object_;
  std::string file_;
  std::string fault_;
  LensResult found_;
};

std::string array_name(const LensCircuit& circuit) {
  const std::string heads =
      circuit.from ? circuit.from->name() + "-" + circuit.head.name() : circuit.head.name();
  return "circuits/" + circuit.kind + "/" + heads + "/matrix";
}

/// The matrices in the file, up to the limits above.
Status read_matrices(const fs::path& path, LensResult& result) {
  const std::size_t side = result.vocabulary;
  if (side == 0 || side > most_matrix_tokens) return {};
  const Result<base::SafetensorsFile> file = base::SafetensorsFile::read(path);
  if (file.fails_with(ErrorKind::not_found)) return {};
  if (!file) return file.error();
  std::size_t room = most_matrices;
  for (std::vector<LensCircuit>* circuits : {&result.direct, &result.composed}) {
    for (LensCircuit& circuit : *circuits) {
      const std::string name = array_name(circuit);
      if (room == 0 || !file->contains(name)) continue;
      const Result<base::Tensor> matrix = file->find(name);
      if (!matrix) return matrix.error();
      if (matrix->shape != std::vector{side, side}) {
        return Error{path.string() + ": tensor '" + name + "': expected the shape " +
                     std::to_string(side) + " x " + std::to_string(side)};
      }
      circuit.matrix.assign(matrix->values.begin(), matrix->values.end());
      --room;
    }
  }
  return {};
}

}  // namespace

Result<LensResult> load_inspection(const fs::path& directory) {
  const fs::path path = directory / "inspection.json";
  const Result<json> object = base::read_json_object(path);
  if (!object) return object.error();
  const std::string fault = study::fault_of_values(*object);
  if (!fault.empty()) return Error{path.string() + ": " + fault};
  Result<LensResult> result = InspectionReader(*object, path.string()).read();
  if (!result) return result;
  if (Status read = read_matrices(directory / "inspection.safetensors", *result); !read) {
    return read.error();
  }
  return result;
}

}  // namespace lookback::report
