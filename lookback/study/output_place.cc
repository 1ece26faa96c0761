#include "lookback/study/output_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

bool holds(const fs::path& directory, const char* name) {
  std::error_code missing;
  return fs::exists(directory / name, missing);
}

/// Its entries, in order; none where it cannot be listed.
std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::ranges::sort(entries);
  return entries;
}

bool is_run(const fs::path& directory) {
  return holds(directory, "config.toml") &&
         (holds(directory, "checkpoints") || holds(directory, "metrics.jsonl"));
}

bool is_arm(const fs::path& directory) {
  return std::ranges::any_of(entries_of(directory), [](const fs::path& entry) {
    return entry.filename().string().starts_with("seed-") && holds(entry, "config.toml");
  });
}

bool has_checkpoint(const fs::path& run) {
  return std::ranges::any_of(entries_of(run / "checkpoints"), [](const fs::path& entry) {
    return entry.extension() == ".safetensors";
  });
}

/// "a run (config.toml)", for a message.
std::string described(DirectoryKind kind) {
  constexpr std::array<const char*, 5> texts = {
      "nothing of lookback's", "a study (study.toml)", "the runs of a study's arm (seed-<n>)",
      "a run (config.toml)", "an exported model (config.json, model.safetensors)"};
  return texts[static_cast<std::size_t>(kind)];
}

}  // namespace

std::filesystem::path run_directory(const std::filesystem::path& study, const std::string& arm,
                                    std::uint64_t seed) {
  return study / arm / fmt::format("seed-{}", seed);
}

DirectoryKind kind_of(const fs::path& directory) {
  if (is_run(directory)) return DirectoryKind::run;
  if (is_arm(directory)) return DirectoryKind::arm;
  if (holds(directory, "config.json") && holds(directory, "model.safetensors")) {
    return DirectoryKind::exported;
  }
  // A study file of a person's own makes no study directory, and neither does the lock of a study
  // that was refused there.
  const bool made =
      holds(directory, "summary.json") || std::ranges::any_of(entries_of(directory), is_arm);
  return made && holds(directory, "study.toml") ? DirectoryKind::study : DirectoryKind::other;
}

Status check_directory(const fs::path& directory, DirectoryKind wanted) {
  const DirectoryKind found = kind_of(directory);
  if (found == DirectoryKind::other || found == wanted) return {};
  return Error{fmt::format("{}: found {}, which would be mixed with {}; use another --out",
                           directory.string(), described(found), described(wanted))};
}

Status check_model_file(const fs::path& file) {
  std::error_code missing;
  if (!fs::exists(file, missing)) return {};
  const auto refused = [&](std::string_view found) {
    return Error{fmt::format("{}: found {}, which a model would replace; use another --out",
                             file.string(), found)};
  };
  if (fs::is_directory(file, missing)) return refused("a directory");
  // A name that was set aside, as mktemp does.
  if (fs::is_regular_file(file, missing) && fs::is_empty(file, missing)) return {};
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

std::vector<fs::path> runs_in(const fs::path& directory) {
  std::vector<fs::path> runs;
  const auto add_arm = [&](const fs::path& arm) {
    for (const fs::path& run : entries_of(arm)) {
      if (run.filename().string().starts_with("seed-") && has_checkpoint(run)) runs.push_back(run);
    }
  };
  add_arm(directory);
  for (const fs::path& arm : entries_of(directory)) add_arm(arm);
  return runs;
}

}  // namespace lookback::study
