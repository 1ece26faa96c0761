#include "lookback/report/checkpoint_store.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/train/checkpoint.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;

struct CheckpointFile {
  std::uint64_t tokens = 0;
  fs::path path;
};

/// The files named <tokens>.safetensors, ascending; others are not checkpoints of a run.
Result<std::vector<CheckpointFile>> list_checkpoints(const fs::path& directory) {
  const Result<std::vector<fs::path>> entries = base::entries_of(directory);
  if (!entries) return entries.error();
  std::vector<CheckpointFile> found;
  for (const fs::path& path : *entries) {
    const std::optional<std::uint64_t> tokens = train::tokens_named_by(path);
    if (tokens) found.push_back({*tokens, path});
  }
  std::ranges::sort(found, {}, &CheckpointFile::tokens);
  return found;
}

/// Checkpoints of one arm with something that cannot be shown, by reason.
class CheckpointFaults {
 public:
  void add(const std::string& why, const fs::path& file) {
    const auto same = std::ranges::find(faults_, why, &Reason::first);
    if (same == faults_.end()) {
      faults_.push_back({why, {file}});
    } else if (std::ranges::find(same->second, file) == same->second.end()) {
      same->second.push_back(file);
    }
  }

  /// One line per reason, with the first of its files.
  void add_to(std::vector<std::string>& notes) const {
    for (const auto& [why, files] : faults_) {
      const std::string file = files.front().string();
      std::string note = "left out: ";
      if (!why.starts_with(file)) note += file + ": ";
      note += why;
      if (files.size() > 1) {
        const std::size_t more = files.size() - 1;
        note += " (as are " + std::to_string(more) + " more " +
                (more == 1 ? "checkpoint" : "checkpoints") + " of this arm)";
      }
      notes.push_back(std::move(note));
    }
  }

 private:
  using Reason = std::pair<std::string, std::vector<fs::path>>;
  std::vector<Reason> faults_;
};

/// One choice among the checkpoints that exist now.
class Showing {
 public:
  using Read = std::function<const KeptCheckpoint&(const CheckpointFile&)>;

  Showing(const std::vector<CheckpointPlace>& places, std::size_t arms,
          const CheckpointLimits& limits, Read read)
      : places_(places), limits_(limits), read_(std::move(read)), of_arm_(arms), faults_(arms) {
    shown_.of_run.resize(places.size());
    shown_.circuits_left_out.resize(arms);
    for (const CheckpointPlace& place : places) {
      Result<std::vector<CheckpointFile>> files = list_checkpoints(place.folder / "checkpoints");
      if (!files) {
        shown_.notes.push_back("left out: " + files.error().message);
        shown_.unread.push_back(files.error().message);
      }
      files_.push_back(files ? std::move(*files) : std::vector<CheckpointFile>());
      lists_.push_back({place.arm, place.seed, files_.back().size()});
    }
  }

  ShownCheckpoints show() {
    sample();
    const std::vector<std::vector<std::size_t>> chosen = choose();
    std::size_t all = 0;
    std::size_t kept = 0;
    for (std::size_t run = 0; run < chosen.size(); ++run) {
      const CheckpointBytes& one = of_arm_[places_[run].arm];
      if (one.maps + one.circuits > 0) all += files_[run].size();
      kept += chosen[run].size();
      for (const std::size_t number : chosen[run]) add(run, files_[run][number]);
    }
    for (const CheckpointFaults& faults : faults_) faults.add_to(shown_.notes);
    if (kept < all) {
      shown_.notes.push_back("attention maps and circuits of " + std::to_string(all - kept) +
                             " of " + std::to_string(all) +
                             " checkpoints were left out to keep this page small");
    }
    return std::move(shown_);
  }

 private:
  /// The first and the last checkpoint of each arm's first run show how much the others take.
  void sample() {
    std::set<std::size_t> seen;
    for (std::size_t run = 0; run < places_.size(); ++run) {
      if (files_[run].empty() || !seen.insert(places_[run].arm).second) continue;
      for (const CheckpointFile* file : {&files_[run].front(), &files_[run].back()}) {
        weigh(run, *file);
      }
    }
  }

  /// Chooses and reads until nothing that was read takes more than expected for its arm.
  std::vector<std::vector<std::size_t>> choose() {
    for (;;) {
      std::vector<std::vector<std::size_t>> chosen = choose_checkpoints(lists_, of_arm_, limits_);
      bool as_thought = true;
      for (std::size_t run = 0; run < chosen.size(); ++run) {
        for (const std::size_t number : chosen[run]) {
          if (weigh(run, files_[run][number])) as_thought = false;
        }
      }
      if (as_thought) return chosen;
    }
  }

  /// Reads a checkpoint; returns whether it takes more than any of its arm before. Its faults are
  /// kept for the notes.
  bool weigh(std::size_t run, const CheckpointFile& file) {
    const std::size_t arm = places_[run].arm;
    const KeptCheckpoint& one = read_(file);
    if (one.encoded == nullptr) {
      faults_[arm].add(one.fault, file.path);
      shown_.unread.push_back(one.fault);
      return false;
    }
    for (const std::string* fault : {&one.encoded->maps_fault, &one.encoded->circuits_fault}) {
      if (!fault->empty()) faults_[arm].add(*fault, file.path);
    }
    CheckpointBytes& most = of_arm_[arm];
    const CheckpointBytes before = most;
    most = {std::max(most.maps, one.encoded->map_bytes),
            std::max(most.circuits, one.encoded->circuit_bytes)};
    return most.maps > before.maps || most.circuits > before.circuits;
  }

  void add(std::size_t run, const CheckpointFile& file) {
    const KeptCheckpoint& one = read_(file);
    if (one.encoded == nullptr) return;
    if (one.encoded->maps.empty() && one.encoded->circuits.empty()) return;
    shown_.of_run[run].push_back(one.encoded);
    shown_.circuits_left_out[places_[run].arm] = one.encoded->circuits_left_out;
  }

  const std::vector<CheckpointPlace>& places_;
  CheckpointLimits limits_;
  Read read_;
  std::vector<std::vector<CheckpointFile>> files_;  // of each place, as lists_
  std::vector<CheckpointList> lists_;
  std::vector<CheckpointBytes> of_arm_;  // the most that one of its checkpoints takes
  std::vector<CheckpointFaults> faults_;
  ShownCheckpoints shown_;
};

}  // namespace

const KeptCheckpoint& CheckpointStore::get(const fs::path& path, std::uint64_t tokens,
                                           const HeldOutSequence& sequence) {
  const FileStamp stamp = stamp_of(path);
  KeptCheckpoint& kept = kept_[path];
  const bool read_before = kept.encoded != nullptr || !kept.fault.empty();
  if (read_before && kept.stamp == stamp) return kept;
  kept = {stamp, nullptr, ""};
  Result<CheckpointContents> contents = reader_(path, sequence);
  if (contents) {
    kept.encoded = std::make_shared<const EncodedCheckpoint>(
        encode_checkpoint(std::move(*contents), tokens, sequence.tokens.size()));
  } else {
    kept.fault = contents.error().message;
  }
  return kept;
}

ShownCheckpoints CheckpointStore::show(const std::vector<CheckpointPlace>& places, std::size_t arms,
                                       const HeldOutSequence& sequence) {
  if (!reader_ || sequence.tokens.empty()) {
    ShownCheckpoints none;
    none.of_run.resize(places.size());
    none.circuits_left_out.resize(arms);
    return none;
  }
  const auto read = [&](const CheckpointFile& file) -> const KeptCheckpoint& {
    return get(file.path, file.tokens, sequence);
  };
  return Showing(places, arms, limits_, read).show();
}

}  // namespace lookback::report
