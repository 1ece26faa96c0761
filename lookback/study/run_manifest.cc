#include "lookback/study/run_manifest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/version.h"
#include "lookback/math/targets.h"
#include "lookback/study/longer_run.h"
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

json this_program(std::uint64_t step) {
  utsname system{};
  const bool known = ::uname(&system) == 0;
  return {{"program", fmt::format("lookback {}", base::version())},
          {"engine", "cpu"},
          {"instruction_set", math::active_instruction_set()},
          {"machine",
           {{"processor", processor()},
            {"cores", std::thread::hardware_concurrency()},
            {"system", known ? fmt::format("{} {}", system.sysname, system.machine) : ""}}},
          {"from_step", step}};
}

bool is_same_program(json a, json b) {
  a.erase("from_step");
  b.erase("from_step");
  return a == b;
}

/// The stretches after `step` are trained again, so what made them is forgotten.
void add_stretch(std::uint64_t step, json& made_by) {
  json kept = json::array();
  for (const json& stretch : made_by) {
    const auto from = base::find_count(stretch, {"from_step"});
    if (from && *from < step) kept.push_back(stretch);
  }
  json now = this_program(step);
  if (kept.empty() || !is_same_program(kept.back(), now)) kept.push_back(std::move(now));
  made_by = std::move(kept);
}

/// What is there while a run is trained, and is not rewritten.
Result<std::vector<std::string>> constant_files(const fs::path& directory) {
  std::vector<std::string> names = {"config.toml"};
  for (const char* copy : {"tokenizer.json", "data.json"}) {  // of a run that learns from text
    const Result<bool> there = base::is_there(directory / copy);
    if (!there) return there.error();
    if (*there) names.emplace_back(copy);
  }
  return names;
}

/// What is there only when a run has ended, or is rewritten until then.
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

Status note_stretch(const fs::path& directory, const RunConfig& config, std::uint64_t step) {
  const Result<std::vector<std::string>> names = constant_files(directory);
  if (!names) return names.error();
  Status noted = update_manifest(directory, [&](Manifest& manifest) {
    manifest.owner = {{"arm", config.arm}, {"seed", config.seed}, {"run", identity_of(config)}};
    std::erase_if(manifest.files, [](const auto& file) { return is_of_the_end(file.first); });
    add_stretch(step, manifest.made_by);
  });
  return noted ? list_files(directory, *names) : noted;
}

Status note_end(const fs::path& directory) {
  std::vector<std::string> names = {findings_name, "metrics.jsonl", "timing.json"};
  const auto checkpoints = base::entries_of(directory / "checkpoints");
  if (!checkpoints) return checkpoints.error();
  for (const fs::path& file : *checkpoints) {
    if (file.extension() == ".safetensors") {
      names.push_back("checkpoints/" + file.filename().string());
    }
  }
  return list_files(directory, names);
}

Status note_reopening(const fs::path& directory) {
  return update_manifest(directory, [](Manifest& manifest) {
    std::erase_if(manifest.files, [](const auto& file) { return is_of_the_end(file.first); });
  });
}

Result<bool> has_ended(const fs::path& directory) {
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  if (*manifest) return (*manifest)->lists(findings_name);
  const Result<bool> orphan = base::is_there(directory / findings_name);
  if (!orphan) return orphan.error();
  if (!*orphan) return false;
  return Error{fmt::format(
      "{}: is missing; it was removed, or lookback 0.1 made this run; --resume makes the run anew",
      (directory / manifest_name).string())};
}

Result<bool> has_ended_as(const RunConfig& config, const fs::path& directory) {
  Result<bool> ended = has_ended(directory);
  if (!ended || !*ended) return ended;
  const Result<Standing> standing = standing_of(config, directory);
  if (!standing) return standing.error();
  return *standing == Standing::same;
}

Result<bool> has_finished(const fs::path& directory) {
  Result<bool> ended = has_ended(directory);
  if (!ended || !*ended) return ended;
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  const Result<json> findings = read_listed_object(directory, **manifest, findings_name);
  if (!findings) return findings.error();
  return base::find_text(*findings, {"status"}) == "finished";
}

std::set<std::string> instruction_sets_of(const Manifest& manifest) {
  std::set<std::string> sets;
  for (const json& stretch : manifest.made_by) {
    const std::string set = base::find_text(stretch, {"instruction_set"});
    if (!set.empty()) sets.insert(set);
  }
  return sets;
}

std::string warning_of(const std::set<std::string>& instruction_sets) {
  if (instruction_sets.size() < 2) return "";
  return fmt::format(
      "the runs of this study were made on several instruction sets ({}), which round differently; "
      "LOOKBACK_ISA chooses one",
      fmt::join(instruction_sets, ", "));
}

}  // namespace lookback::study
