#include "lookback/study/run_manifest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/version.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/saved_model.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string findings_name = "findings.json";

/// What Linux calls the processor; empty elsewhere.
std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t at = line.find(": ");
    return at == std::string::npos ? "" : line.substr(at + 2);
  }
  return "";
}

json this_program(std::uint64_t step, const model::Engine& engine) {
  utsname system{};
  const bool known = ::uname(&system) == 0;
  return {{"program", fmt::format("lookback {}", base::version())},
          {"engine", engine.signature()},
          {"machine",
           {{"processor", processor()},
            {"cores", std::thread::hardware_concurrency()},
            {"system", known ? fmt::format("{} {}", system.sysname, system.machine) : ""}}},
          {"from_step", step}};
}

/// The engine of a stretch; earlier versions noted an instruction set beside a name.
std::string engine_of(const json& stretch) {
  const std::string set = base::find_text(stretch, {"instruction_set"});
  return set.empty() ? base::find_text(stretch, {"engine"}) : model::signature_of(set);
}

bool is_same_program(json a, json b) {
  a.erase("from_step");
  b.erase("from_step");
  return a == b;
}

/// The stretches after `step` are trained again, so what made them is forgotten. A run that has only its
/// end to note, at `last`, is trained no further by this program.
void add_stretch(std::uint64_t step, std::uint64_t last, const model::Engine& engine,
                 json& made_by) {
  json kept = json::array();
  for (const json& stretch : made_by) {
    const auto from = base::find_count(stretch, {"from_step"});
    if (from && *from < step) kept.push_back(stretch);
  }
  if (!kept.empty() && step >= last) {
    made_by = std::move(kept);
    return;
  }
  json now = this_program(step, engine);
  if (kept.empty() || !is_same_program(kept.back(), now)) kept.push_back(std::move(now));
  made_by = std::move(kept);
}

/// The paths of checkpoints/*.safetensors from the run's directory.
Result<std::vector<std::string>> checkpoint_names(const fs::path& directory) {
  const auto files = base::entries_of(directory / "checkpoints");
  if (!files) return files.error();
  std::vector<std::string> names;
  for (const fs::path& file : *files) {
    if (file.extension() == ".safetensors") {
      names.push_back("checkpoints/" + file.filename().string());
    }
  }
  return names;
}

/// Of a run whose manifest was lost: the engine of each of its stretches up to `step`, as its
/// checkpoints say, without the program and machine, which they do not.
Result<json> recovered_stretches(const fs::path& directory, std::uint64_t step) {
  const Result<std::vector<std::string>> names = checkpoint_names(directory);
  if (!names) return names.error();
  std::map<std::uint64_t, std::string> engines;  // by the step of the checkpoint that has it
  for (const std::string& name : *names) {
    const Result<train::Checkpoint> checkpoint = train::Checkpoint::read(directory / name);
    if (checkpoint) engines[checkpoint->header().step] = checkpoint->header().engine;
  }
  json stretches = json::array();
  std::uint64_t from = 0;
  for (const auto& [at, engine] : engines) {
    if (at > step) break;
    const bool is_new = stretches.empty() || stretches.back()["engine"] != engine;
    if (is_new) stretches.push_back({{"engine", engine}, {"from_step", from}});
    from = at;
  }
  return stretches;
}

/// The files that exist while a run is trained and are not rewritten.
Result<std::vector<std::string>> constant_files(const fs::path& directory) {
  std::vector<std::string> names = {"config.toml"};
  for (const char* copy : {"tokenizer.json", "data.json"}) {  // of a run that learns from text
    const Result<bool> there = base::is_there(directory / copy);
    if (!there) return there.error();
    if (*there) names.emplace_back(copy);
  }
  return names;
}

/// The files that exist only when a run has ended, or are rewritten until then.
bool is_of_the_end(const std::string& name) {
  return name != "config.toml" && name != "tokenizer.json" && name != "data.json";
}

}  // namespace

std::string identity_of(const RunConfig& config) {
  RunConfig of_any_length = config;
  if (config.train.decay == train::Decay::constant) {
    of_any_length.train.tokens = 0;
    for (train::Clamp& clamp : of_any_length.clamps) {
      if (clamp.end == config.train.tokens) clamp.end = 0;
    }
  }
  return base::checksum_text({base::bytes_of(to_toml(of_any_length))});
}

json owner_of(const RunConfig& config) {
  return {{"arm", config.arm}, {"seed", config.seed}, {"run", identity_of(config)}};
}

bool is_owner(const Manifest& manifest, const RunConfig& config) {
  return base::find_text(manifest.owner, {"run"}) == identity_of(config);
}

Status note_stretch(const fs::path& directory, const RunConfig& config, std::uint64_t step,
                    const model::Engine& engine) {
  const Result<std::vector<std::string>> names = constant_files(directory);
  if (!names) return names.error();
  const Result<std::optional<Manifest>> before = read_manifest(directory);
  if (!before) return before.error();
  const bool is_known = *before && !(*before)->made_by.empty();
  Result<json> recovered = json::array();
  if (!is_known && step > 0) recovered = recovered_stretches(directory, step);
  if (!recovered) return recovered.error();
  Status noted = update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner = owner_of(config);
    std::erase_if(manifest.files, [](const auto& file) { return is_of_the_end(file.first); });
    if (manifest.made_by.empty()) manifest.made_by = *recovered;
    add_stretch(step, train::step_count(config.train, config.data.length), engine,
                manifest.made_by);
  });
  return noted ? list_files(directory, *names) : noted;
}

Status note_end(const fs::path& directory, const RunConfig& config) {
  std::vector<std::string> names = {findings_name, "metrics.jsonl", "timing.json"};
  const auto checkpoints = checkpoint_names(directory);
  if (!checkpoints) return checkpoints.error();
  for (const std::string& name : *checkpoints) {
    if (!train::tokens_named_by(name)) continue;  // a person's own
    // Damage that is listed would count as what lookback wrote.
    if (Status whole = check_checkpoint(directory / name, config); !whole) {
      return whole.error().with(
          "; the run is not marked as ended, and --resume trains again from before it");
    }
    names.push_back(name);
  }
  return list_files(directory, names);
}

Status note_reopening(const fs::path& directory) {
  return update_manifest(directory, [](Manifest& manifest) {
    std::erase_if(manifest.files, [](const auto& file) { return is_of_the_end(file.first); });
  });
}

Result<std::vector<std::string>> unlisted_files(const fs::path& directory,
                                                const Manifest& manifest) {
  std::vector<std::string> names = {"evaluation.json", "resume.safetensors"};
  names.insert(names.end(), std::begin(inspection_files), std::end(inspection_files));
  const auto checkpoints = checkpoint_names(directory);
  if (!checkpoints) return checkpoints.error();
  names.insert(names.end(), checkpoints->begin(), checkpoints->end());
  std::vector<std::string> unlisted;
  for (const std::string& name : names) {
    if (manifest.lists(name)) continue;
    const Result<bool> there = base::is_there(directory / name);
    if (!there) return there.error();
    if (*there) unlisted.push_back(name);
  }
  return unlisted;
}

Result<bool> has_ended(const fs::path& directory) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  return run->has_ended();
}

Result<bool> has_ended_as(const RunConfig& config, const fs::path& directory) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  return run->has_ended_as(config);
}

Result<bool> has_finished(const fs::path& directory) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  const Result<json> findings = run->read(findings_name);
  if (!findings) return findings.error();
  return base::find_text(*findings, {"status"}) == "finished";
}

std::set<std::string> engines_of(const Manifest& manifest) {
  std::set<std::string> engines;
  for (const json& stretch : manifest.made_by) {
    const std::string engine = engine_of(stretch);
    if (!engine.empty()) engines.insert(engine);
  }
  for (const auto& [name, file] : manifest.files) {
    engines.insert(file.engines.begin(), file.engines.end());
  }
  return engines;
}

std::string warning_of(const std::set<std::string>& engines) {
  if (engines.size() < 2) return "";
  return fmt::format(
      "the runs of this study were made by several engines ({}), which round differently; "
      "LOOKBACK_ISA chooses the instruction set",
      fmt::join(engines, ", "));
}

}  // namespace lookback::study
