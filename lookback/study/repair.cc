#include "lookback/study/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view checkpoints = "checkpoints/";

/// The tokens in "checkpoints/<tokens>.safetensors".
std::optional<std::uint64_t> tokens_in(std::string_view name) {
  if (!name.starts_with(checkpoints)) return std::nullopt;
  name.remove_prefix(checkpoints.size());
  std::uint64_t tokens = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), tokens);
  return code == std::errc() && end != name.data() ? std::optional(tokens) : std::nullopt;
}

class Repair {
 public:
  Repair(const RunConfig& config, const fs::path& run, Listener& listener)
      : config_(config), run_(run), listener_(listener) {}

  Status repair() {
    const Result<bool> orphan = base::is_there(run_ / "findings.json");
    if (!orphan) return orphan.error();
    const Result<ManifestState> state = state_of_manifest(run_);
    if (!state) return state.error();
    if (*state == ManifestState::whole) return repair_listed();
    if (Status ours = check_format(); !ours) return ours;
    return *state == ManifestState::changed || *orphan ? forget_manifest() : Status();
  }

 private:
  void tell(const std::string& what) {
    listener_.message(fmt::format("{} seed {}: {}", config_.arm, config_.seed, what));
  }

  /// A run of lookback 0.1 has neither a manifest nor lines with checksums.
  Status check_format() const {
    const auto metrics = read_whole_metrics(run_ / "metrics.jsonl", identity_of(config_));
    if (!metrics) return metrics.error();
    if (!metrics->lines.empty() || metrics->fault.empty()) return {};
    return Error{
        fmt::format("{}: lookback 0.1 made this run, or another study; remove it, or use "
                    "another --out",
                    run_.string())};
  }

  /// Metrics and checkpoints have checksums of their own: what the run ended with is made again of them.
  Status forget_manifest() {
    tell("its manifest.json was changed or removed; what the run ended with is made again");
    for (const char* name : {manifest_name, "findings.json"}) {
      if (Status removed = base::remove_file(run_ / name); !removed) return removed;
    }
    return {};
  }

  Status repair_listed() {
    const Result<std::optional<Manifest>> manifest = read_manifest(run_);
    if (!manifest) return manifest.error();
    for (const auto& [name, file] : (*manifest)->files) {
      const Result<FileState> state = state_of_listed(run_, **manifest, name);
      if (!state) return state.error();
      if (*state == FileState::same) continue;
      tell(fmt::format("{} {}; it is made again", name,
                       *state == FileState::missing ? "is missing" : "was changed"));
      sort_out(name);
    }
    if (config_is_lost_) {
      const std::string owner = base::find_text((*manifest)->owner, {"run"});
      if (owner != identity_of(config_))
        return Error{fmt::format("{}: holds another run; use another --out", run_.string())};
    }
    return carry_out();
  }

  /// What the loss of a file costs.
  void sort_out(const std::string& name) {
    if (name == "timing.json" || name == "evaluation.json") {
      gone_.push_back(name);
    } else if (name.starts_with("inspection.")) {
      gone_.insert(gone_.end(), std::begin(inspection_files), std::end(inspection_files));
    } else {
      reopens_ = true;
      if (name == "config.toml") config_is_lost_ = true;
      if (const auto tokens = tokens_in(name)) cut_ = std::min(cut_.value_or(*tokens), *tokens);
    }
  }

  Status carry_out() {
    if (!gone_.empty()) {
      if (Status unlisted = unlist_files(run_, gone_); !unlisted) return unlisted;
      for (const std::string& name : gone_) {
        if (Status removed = base::remove_file(run_ / name); !removed) return removed;
      }
    }
    if (!reopens_) return {};
    if (Status noted = note_reopening(run_); !noted) return noted;
    if (Status removed = base::remove_file(run_ / "findings.json"); !removed) return removed;
    if (config_is_lost_) {
      Status written = base::write_file_atomically(run_ / "config.toml", to_toml(config_));
      if (!written) return written;
    }
    return cut_ ? remove_checkpoints_from(*cut_) : Status();
  }

  /// A run goes on from the newest checkpoint, so those after a lost one go with it.
  Status remove_checkpoints_from(std::uint64_t tokens) const {
    const auto files = base::entries_of(run_ / "checkpoints");
    if (!files) return files.error();
    for (const fs::path& file : *files) {
      const auto of = tokens_in(std::string(checkpoints) + file.filename().string());
      if (!of || *of < tokens) continue;
      if (Status removed = base::remove_file(file); !removed) return removed;
    }
    return base::remove_file(train::resume_path(run_));
  }

  const RunConfig& config_;
  const fs::path& run_;
  Listener& listener_;
  std::vector<std::string> gone_;
  bool reopens_ = false;
  bool config_is_lost_ = false;
  std::optional<std::uint64_t> cut_;
};

}  // namespace

Status repair_run(const RunConfig& config, const fs::path& run, Listener& listener) {
  return Repair(config, run, listener).repair();
}

}  // namespace lookback::study
