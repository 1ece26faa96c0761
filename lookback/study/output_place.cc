#include "lookback/study/output_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <string_view>
#include <system_error>

#include "lookback/base/file.h"
#include "lookback/study/manifest.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

bool is_run_name(const fs::path& path) { return path.filename().string().starts_with("seed-"); }

/// Whether an entry of `directory` is as asked, the first error in its place.
template <class Asked>
Result<bool> any_entry(const fs::path& directory, Asked asked) {
  const Result<std::vector<fs::path>> entries = base::entries_of(directory);
  if (!entries) return entries.error();
  for (const fs::path& entry : *entries) {
    Result<bool> found = asked(entry);
    if (!found || *found) return found;
  }
  return false;
}

Result<bool> is_arm(const fs::path& directory) {
  return any_entry(directory, [](const fs::path& entry) -> Result<bool> {
    if (!is_run_name(entry)) return false;
    return base::is_there(entry / "config.toml");
  });
}

Status add_runs_of_arm(const fs::path& arm, std::vector<fs::path>& runs) {
  const Result<std::vector<fs::path>> entries = base::entries_of(arm);
  if (!entries) return entries.error();
  for (const fs::path& entry : *entries) {
    if (!is_run_name(entry)) continue;
    const Result<bool> has = any_entry(entry / "checkpoints", [](const fs::path& file) {
      return Result<bool>(file.extension() == ".safetensors");
    });
    if (!has) return has.error();
    if (*has) runs.push_back(entry);
  }
  return {};
}

/// What a study or a run has from its start on: beside one of these all else is ours to repair.
constexpr std::array<std::string_view, 5> marks = {"manifest.json", "study.toml", "config.toml",
                                                   "checkpoints", "metrics.jsonl"};

/// Whether an entry may lie where a study or a run begins: hidden, a study file of a person's own, or
/// the directories of runs that a start which was killed left behind.
bool may_be_there(const fs::path& entry) {
  if (entry.filename().string().starts_with('.') || entry.extension() == ".toml") return true;
  std::error_code unknown;
  if (!fs::is_directory(entry, unknown)) return false;
  const Result<std::vector<fs::path>> runs = base::entries_of(entry);
  return is_run_name(entry) || (runs && std::ranges::all_of(*runs, is_run_name));
}

Status check_nothing_foreign(const fs::path& directory) {
  const Result<std::vector<fs::path>> entries = base::entries_of(directory);
  if (!entries) return entries.error();
  const auto is_mark = [](const fs::path& entry) {
    return std::ranges::find(marks, entry.filename().string()) != marks.end();
  };
  if (std::ranges::any_of(*entries, is_mark)) return {};
  const auto foreign = std::ranges::find_if_not(*entries, may_be_there);
  if (foreign == entries->end()) return {};
  return Error{fmt::format("{}: found {}, which is not lookback's; use a new or empty directory",
                           directory.string(), foreign->filename().string())};
}

/// "a run (config.toml)", for a message.
std::string described(DirectoryKind kind) {
  constexpr std::array<const char*, 5> texts = {
      "nothing of lookback's", "a study (study.toml)", "the runs of a study's arm (seed-<n>)",
      "a run (config.toml)", "an exported model (config.json, model.safetensors)"};
  return texts[static_cast<std::size_t>(kind)];
}

}  // namespace

std::string run_name(const std::string& arm, std::uint64_t seed) {
  return fmt::format("{}/seed-{}", arm, seed);
}

std::filesystem::path run_directory(const std::filesystem::path& study, const std::string& arm,
                                    std::uint64_t seed) {
  return study / run_name(arm, seed);
}

Result<DirectoryKind> kind_of(const fs::path& directory) {
  const Result<std::vector<fs::path>> entries = base::entries_of(directory);
  if (!entries) return entries.error();
  const auto has = [&](const char* name) {
    return std::ranges::find(*entries, directory / name) != entries->end();
  };
  if (has("config.toml") && (has("checkpoints") || has("metrics.jsonl"))) return DirectoryKind::run;
  Result<bool> found = is_arm(directory);
  if (!found) return found.error();
  if (*found) return DirectoryKind::arm;
  if (has("config.json") && has("model.safetensors")) return DirectoryKind::exported;
  // A study file of a person's own makes no study, nor does the lock of one that was refused.
  if (!has("study.toml")) return DirectoryKind::other;
  if (!has("summary.json")) found = any_entry(directory, is_arm);
  if (!found) return found.error();
  return has("summary.json") || *found ? DirectoryKind::study : DirectoryKind::other;
}

Status check_directory(const fs::path& directory, DirectoryKind wanted) {
  const Result<DirectoryKind> found = kind_of(directory);
  if (!found) return found.error();
  if (*found == wanted) return {};
  if (*found == DirectoryKind::other) {
    const bool makes_runs = wanted == DirectoryKind::study || wanted == DirectoryKind::run;
    return makes_runs ? check_nothing_foreign(directory) : Status();
  }
  return Error{fmt::format("{}: found {}, which would be mixed with {}; use another --out",
                           directory.string(), described(*found), described(wanted))};
}

Status check_model_file(const fs::path& file) {
  const Result<fs::file_status> status = base::status_of(file);
  if (!status) return status.error();
  if (!fs::exists(*status)) return {};
  const auto refused = [&](std::string_view found) {
    return Error{fmt::format("{}: found {}, which a model would replace; use another --out",
                             file.string(), found)};
  };
  if (fs::is_directory(*status)) return refused("a directory");
  // A name that was set aside, as mktemp does.
  std::error_code unknown;
  if (fs::is_regular_file(*status) && fs::is_empty(file, unknown)) return {};
  const Result<train::Checkpoint> there = train::Checkpoint::read(file);
  if (!there) {
    std::string_view reason = there.error().message;
    const std::string beginning = file.string() + ": ";
    if (reason.starts_with(beginning)) reason.remove_prefix(beginning.size());
    return refused(fmt::format("a file that is no model of lookback ({})", reason));
  }
  if (there->can_go_on()) return refused("a run's checkpoint");
  return {};
}

Status check_json_file(const fs::path& file) {
  const Result<fs::file_status> status = base::status_of(file);
  if (!status) return status.error();
  if (!fs::exists(*status)) return {};
  const auto refused = [&](std::string_view found) {
    return Error{fmt::format("{}: found {}; use another --out", file.string(), found)};
  };
  if (fs::is_directory(*status)) return refused("a directory");
  const fs::path directory = fs::absolute(file).parent_path();
  const Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  if (*manifest && (*manifest)->lists(file.filename().string())) {
    return refused("a file of a run or a study");
  }
  if (!fs::is_regular_file(*status)) return {};  // a pipe, /dev/stdout
  char first = '{';
  std::ifstream(file).get(first);
  return first == '{' ? Status() : refused("a file that is not JSON");
}

Result<std::vector<fs::path>> runs_in(const fs::path& directory) {
  std::vector<fs::path> runs;
  if (Status added = add_runs_of_arm(directory, runs); !added) return added.error();
  const Result<std::vector<fs::path>> arms = base::entries_of(directory);
  if (!arms) return arms.error();
  for (const fs::path& arm : *arms) {
    if (Status added = add_runs_of_arm(arm, runs); !added) return added.error();
  }
  return runs;
}

}  // namespace lookback::study
