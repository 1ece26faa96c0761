#include "lookback/report/load_study.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/base/toml_document.h"
#include "lookback/report/json_access.h"
#include "lookback/report/load_inspection.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_summary_bytes = std::size_t{64} << 20U;
constexpr std::size_t max_config_bytes = std::size_t{1} << 20U;
constexpr std::size_t max_metrics_bytes = std::size_t{1} << 30U;

/// A name that stays one folder of the study's directory.
bool is_folder_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

/// One complete line of metrics, or an error naming the line.
Result<json> parse_record(std::string_view line, const std::string& where,
                          std::uint64_t tokens_before) {
  json record = base::parse_json(line);
  if (record.is_discarded()) return Error{where + ": not valid JSON"};
  const std::optional<std::uint64_t> tokens = find_count(record, {"tokens"});
  if (!tokens) return Error{where + ": key 'tokens': expected a non-negative integer"};
  if (*tokens < tokens_before) {
    return Error{where + ": key 'tokens': found " + std::to_string(*tokens) + " after " +
                 std::to_string(tokens_before) + ", expected ascending counts"};
  }
  return record;
}

Result<std::vector<json>> read_metrics(const fs::path& path, std::vector<std::string>& notes) {
  const Result<std::string> text = base::read_file(path, max_metrics_bytes);
  if (!text) return text.error();
  std::vector<json> records;
  std::string_view rest = *text;
  std::uint64_t tokens = 0;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    const std::string where = path.string() + ":" + std::to_string(number);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.empty()) continue;
    Result<json> record = parse_record(line, where, tokens);
    if (!record) {
      // Only the last line can be torn: a run appends, and a kill cuts what it was appending.
      if (!rest.empty()) return record.error();
      notes.push_back(where + ": the last line is incomplete and was left out");
      break;
    }
    tokens = find_count(*record, {"tokens"}).value_or(tokens);
    records.push_back(std::move(*record));
  }
  return records;
}

struct Checkpoint {
  std::uint64_t tokens = 0;
  fs::path path;
};

/// The files named <tokens>.safetensors, ascending; others are not checkpoints of a run.
std::vector<Checkpoint> list_checkpoints(const fs::path& directory) {
  std::vector<Checkpoint> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.extension() != ".safetensors") continue;
    const std::string stem = path.stem().string();
    std::uint64_t tokens = 0;
    const auto [stop, failure] = std::from_chars(stem.data(), stem.data() + stem.size(), tokens);
    if (failure != std::errc{} || stop != stem.data() + stem.size()) continue;
    found.push_back({tokens, path});
  }
  std::sort(found.begin(), found.end(),
            [](const Checkpoint& a, const Checkpoint& b) { return a.tokens < b.tokens; });
  return found;
}

/// Why a checkpoint's maps cannot be drawn, or nothing.
std::optional<std::string> fault_of(const std::vector<AttentionMap>& maps, std::size_t length) {
  if (maps.empty()) return "it has no attention heads";
  for (const AttentionMap& map : maps) {
    if (map.weights.size() / length != length || map.weights.size() % length != 0) {
      return map.label + " has " + std::to_string(map.weights.size()) + " weights, expected " +
             std::to_string(length) + " x " + std::to_string(length);
    }
  }
  return std::nullopt;
}

/// Checkpoints of one arm without maps: each reason with the files it holds for.
using MapFaults = std::vector<std::pair<std::string, std::vector<fs::path>>>;

void add_fault(MapFaults& faults, const std::string& why, const fs::path& file) {
  const auto same = std::ranges::find(faults, why, &MapFaults::value_type::first);
  if (same != faults.end()) {
    same->second.push_back(file);
  } else {
    faults.push_back({why, {file}});
  }
}

/// One line a reason, with the first of its files.
void add_notes(const MapFaults& faults, std::vector<std::string>& notes) {
  for (const auto& [why, files] : faults) {
    const std::string file = files.front().string();
    std::string note = "left out: ";
    if (!why.starts_with(file)) note += file + ": ";
    note += why;
    if (files.size() > 1) {
      const std::size_t more = files.size() - 1;
      note += " (and so " + std::to_string(more) + " more " +
              (more == 1 ? "checkpoint" : "checkpoints") + " of this arm)";
    }
    notes.push_back(std::move(note));
  }
}

std::vector<CheckpointMaps> read_maps(const fs::path& run_directory,
                                      const HeldOutSequence& sequence,
                                      const AttentionReader& read_attention, MapFaults& faults) {
  std::vector<CheckpointMaps> checkpoints;
  if (!read_attention || sequence.tokens.empty()) return checkpoints;
  for (const Checkpoint& checkpoint : list_checkpoints(run_directory / "checkpoints")) {
    Result<std::vector<AttentionMap>> maps = read_attention(checkpoint.path, sequence);
    if (!maps) {
      add_fault(faults, maps.error().message, checkpoint.path);
      continue;
    }
    if (const auto fault = fault_of(*maps, sequence.tokens.size())) {
      add_fault(faults, *fault, checkpoint.path);
      continue;
    }
    checkpoints.push_back({checkpoint.tokens, std::move(*maps)});
  }
  return checkpoints;
}

class StudyReader {
 public:
  StudyReader(const fs::path& directory, const AttentionReader& read_attention)
      : directory_(directory), read_attention_(read_attention) {}

  Result<StudyReport> read(const HeldOutSequence& sequence) {
    const Result<json> summary = base::read_json_object(summary_path(), max_summary_bytes);
    if (!summary) return summary.error();
    study_.sequence = sequence;
    study_.name = find_text(*summary, {"study"});
    study_.question = find_text(*summary, {"question"});
    study_.description = find_text(*summary, {"description"});
    study_.tokens = find_count(*summary, {"tokens"}).value_or(0);
    study_.threads = find_count(*summary, {"threads"}).value_or(0);
    if (study_.question.empty() || study_.description.empty()) read_study_file();

    const json* arms = find_value(*summary, {"arms"});
    if (arms == nullptr || !arms->is_array()) return fault("key 'arms': expected an array");
    for (const json& arm : *arms) {
      if (Status status = add_arm(arm); !status) return status.error();
    }
    return std::move(study_);
  }

 private:
  fs::path summary_path() const { return directory_ / "summary.json"; }
  Error fault(const std::string& what) const { return {summary_path().string() + ": " + what}; }

  /// The study file's own words, for a summary without them. Its other keys are not ours to check.
  void read_study_file() {
    const Result<base::Document> document = base::read_toml((directory_ / "study.toml").string());
    if (!document) return;
    for (const auto& [key, target] :
         {std::pair{"question", &study_.question}, std::pair{"description", &study_.description}}) {
      const base::TomlValue* value = document->root.find(key);
      const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
      if (target->empty() && text != nullptr) *target = *text;
    }
  }

  Status add_arm(const json& value) {
    Arm arm;
    arm.name = find_text(value, {"arm"});
    if (!is_folder_name(arm.name)) {
      return fault("key 'arms': an arm needs a name that can be a folder's");
    }
    const json* runs = find_value(value, {"runs"});
    if (runs == nullptr || !runs->is_array()) {
      return fault("arm '" + arm.name + "': key 'runs': expected an array");
    }
    MapFaults faults;
    for (const json& summary : *runs) {
      if (Status status = add_run(summary, arm, faults); !status) return status;
      arm.parameters =
          std::max<std::size_t>(arm.parameters, find_count(summary, {"parameters"}).value_or(0));
    }
    add_notes(faults, study_.notes);
    study_.arms.push_back(std::move(arm));
    return {};
  }

  Status add_run(const json& summary, Arm& arm, MapFaults& faults) {
    const std::optional<std::uint64_t> seed = find_count(summary, {"seed"});
    if (!seed) return fault("arm '" + arm.name + "': a run needs a non-negative integer 'seed'");
    Run run;
    run.seed = *seed;
    run.summary = summary;
    const fs::path folder = directory_ / arm.name / ("seed-" + std::to_string(*seed));
    const fs::path metrics = folder / "metrics.jsonl";
    std::error_code error;
    if (find_text(summary, {"status"}) != "finished" && !fs::exists(metrics, error)) {
      study_.notes.push_back(metrics.string() + ": absent, so this run has no lines");
    } else {
      Result<std::vector<json>> records = read_metrics(metrics, study_.notes);
      if (!records) return records.error();
      run.metrics = std::move(*records);
    }
    if (fs::exists(folder / "inspection.json", error)) {
      Result<LensResult> found = load_inspection(folder);
      if (found) run.lens = std::move(*found);
      if (!found) study_.notes.push_back("left out: " + found.error().message);
    }
    if (arm.runs.empty() && fs::exists(folder / "config.toml", error)) {
      Result<std::string> text = base::read_file(folder / "config.toml", max_config_bytes);
      if (text) arm.configuration = std::move(*text);
      if (!text) study_.notes.push_back("left out: " + text.error().message);
    }
    run.attention = read_maps(folder, study_.sequence, read_attention_, faults);
    arm.runs.push_back(std::move(run));
    return {};
  }

  const fs::path& directory_;
  const AttentionReader& read_attention_;
  StudyReport study_;
};

}  // namespace

Result<StudyReport> load_study(const fs::path& directory, const HeldOutSequence& sequence,
                               const AttentionReader& read_attention) {
  return StudyReader(directory, read_attention).read(sequence);
}

}  // namespace lookback::report
