#include "lookback/study/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/file.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"
#include "lookback/train/checkpoint.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

/// What --resume does about the loss of a file.
std::string_view outcome_of(std::string_view name) {
  if (name == "timing.json") return "it only said how long training took, and is removed";
  if (name == "evaluation.json") {
    return "the run's own tasks are evaluated again; `lookback eval` makes those of others anew";
  }
  return "it is made again";
}

class Repair {
 public:
  Repair(const RunConfig& config, const DirectoryLock& lock, Listener& listener)
      : config_(config), lock_(lock), run_(lock.directory()), listener_(listener) {}

  Status repair() {
    const Result<bool> results = base::is_there(run_ / "findings.json");
    if (!results) return results.error();
    const Result<ManifestState> state = state_of_manifest(run_);
    if (!state) return state.error();
    is_known_ = *state == ManifestState::whole;
    forgets_ = *state == ManifestState::changed || (!is_known_ && *results);
    if (Status sorted = is_known_ ? sort_out_listed() : check_format(); !sorted) return sorted;
    if (Status ours = check_is_this_run(); !ours) return ours;
    // One that is in the middle passes over damaged checkpoints, and checks them when it ends.
    if (*results) {
      if (Status sorted = sort_out_checkpoints(); !sorted) return sorted;
    }
    return carry_out();
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

  /// Before anything is removed: the directory's run is the one that was asked for.
  Status check_is_this_run() const {
    if (!config_is_lost_) {
      const Result<Standing> standing = standing_of(config_, run_);
      return standing ? Status() : standing.error();
    }
    if (is_owner(manifest_, config_)) return {};
    return Error{fmt::format("{}: holds another run; use another --out", run_.string())};
  }

  Status sort_out_listed() {
    const Result<std::optional<Manifest>> manifest = read_manifest(run_);
    if (!manifest) return manifest.error();
    manifest_ = **manifest;
    for (const auto& [name, file] : manifest_.files) {
      const Result<FileState> state = state_of_listed(run_, manifest_, name);
      if (!state) return state.error();
      if (*state == FileState::same) continue;
      tell(fmt::format("{} {}; {}", name,
                       *state == FileState::missing ? "is missing" : "was changed",
                       outcome_of(name)));
      sort_out(name);
    }
    if (!manifest_.lists("findings.json")) return {};
    const Result<std::vector<std::string>> unlisted = unlisted_files(run_, manifest_);
    if (!unlisted) return unlisted.error();
    for (const std::string& name : *unlisted) {
      const bool is_a_persons = name.starts_with("checkpoints/") && !train::tokens_named_by(name);
      if (is_a_persons) continue;
      tell(fmt::format("{} is not in {}; it is removed", name, manifest_name));
      gone_.push_back(name);
    }
    return {};
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
      if (const auto tokens = train::tokens_named_by(name)) {
        cut_ = std::min(cut_.value_or(*tokens), *tokens);
      }
    }
  }

  /// Checkpoints have checksums of their own, and say what they are of.
  Status sort_out_checkpoints() {
    const auto files = base::entries_of(run_ / "checkpoints");
    if (!files) return files.error();
    for (const fs::path& file : *files) {
      const std::string name = "checkpoints/" + file.filename().string();
      const auto tokens = train::tokens_named_by(file);
      const bool is_removed = tokens && cut_ && *tokens >= *cut_;
      if (!tokens || is_removed || std::ranges::count(gone_, name) > 0) continue;
      const Result<bool> sound = is_sound(file);
      if (!sound) return sound.error();
      if (*sound) continue;
      tell(fmt::format("{} is damaged, or not the run's; {}", name, outcome_of(name)));
      sort_out(name);
    }
    return {};
  }

  /// Errors: the file cannot be read now, and may be whole.
  Result<bool> is_sound(const fs::path& file) const {
    if (check_checkpoint(file, config_)) return true;
    if (const auto read = base::sum_of_file(file); !read) return read.error();
    return static_cast<bool>(check_checkpoint(file, config_));
  }

  Status carry_out() {
    if (!forgets_ && !reopens_ && gone_.empty()) return {};
    if (Status told = tell_of_evaluation(); !told) return told;
    if (Status held = lock_.check(); !held) return held;
    if (Status removed = remove_gone(); !removed) return removed;
    // While they are listed: killed in between, it is the same repair again.
    if (cut_) {
      if (Status removed = remove_checkpoints_from(*cut_); !removed) return removed;
    }
    if (forgets_) {
      if (Status forgotten = forget_manifest(); !forgotten) return forgotten;
    } else if (reopens_) {
      if (Status noted = note_reopening(run_); !noted) return noted;
    }
    if (!reopens_) return {};
    if (Status removed = base::remove_file(run_ / "findings.json"); !removed) return removed;
    if (!config_is_lost_) return {};
    return base::write_file_atomically(run_ / "config.toml", to_toml(config_));
  }

  /// The evaluation of a run that ends again is that of another end, as far as anybody can tell.
  Status tell_of_evaluation() {
    const std::string name = "evaluation.json";
    const Result<bool> there = base::is_there(run_ / name);
    if (!there) return there.error();
    const bool is_lost = (forgets_ || reopens_) && std::ranges::count(gone_, name) == 0;
    if (*there && is_lost)
      tell(fmt::format("{} goes with the run's end; {}", name, outcome_of(name)));
    return {};
  }

  Status remove_gone() const {
    if (gone_.empty()) return {};
    if (Status unlisted = unlist_files(run_, gone_); !unlisted) return unlisted;
    for (const std::string& name : gone_) {
      if (Status removed = base::remove_file(run_ / name); !removed) return removed;
    }
    return {};
  }

  /// Metrics and checkpoints have checksums of their own: what the run ended with is made again of them.
  Status forget_manifest() {
    tell("its manifest.json was changed or removed; what the run ended with is made again");
    for (const char* name : {manifest_name, "findings.json"}) {
      if (Status removed = base::remove_file(run_ / name); !removed) return removed;
    }
    return {};
  }

  /// A run goes on from the newest checkpoint, so those after a lost one go with it.
  Status remove_checkpoints_from(std::uint64_t tokens) const {
    const auto files = base::entries_of(run_ / "checkpoints");
    if (!files) return files.error();
    for (const fs::path& file : *files) {
      const auto of = train::tokens_named_by(file);
      if (!of || *of < tokens) continue;
      if (Status removed = base::remove_file(file); !removed) return removed;
    }
    return base::remove_file(train::resume_path(run_));
  }

  const RunConfig& config_;
  const DirectoryLock& lock_;
  const fs::path& run_;
  Listener& listener_;
  Manifest manifest_;
  bool is_known_ = false;  // whether the manifest is whole
  bool forgets_ = false;   // whether it is lost, and the run's end with it
  std::vector<std::string> gone_;
  bool reopens_ = false;
  bool config_is_lost_ = false;
  std::optional<std::uint64_t> cut_;
};

}  // namespace

Status repair_run(const RunConfig& config, const DirectoryLock& lock, Listener& listener) {
  return Repair(config, lock, listener).repair();
}

}  // namespace lookback::study
