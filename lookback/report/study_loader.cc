#include "lookback/report/study_loader.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "lookback/model/program.h"
#include "lookback/study/ledger.h"
#include "lookback/study/manifest.h"
#include "lookback/study/output_place.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/study_directory.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;

/// More than a page could list.
constexpr std::uint64_t most_runs = 10'000;

/// Tokens of a run that went to its end: whole steps.
std::uint64_t planned_tokens(const study::RunConfig& config) {
  return train::step_count(config.train, config.data.length) * config.train.batch *
         config.data.length;
}

/// Numbers in the parameters of an arm's model; 0 where it has none that can be made.
std::size_t parameters_of(const study::RunConfig& config) {
  const Result<model::Program> program = model::compile(config.architecture);
  return program ? program->parameter_count() : 0;
}

}  // namespace

StudyLoader::StudyLoader(fs::path directory, StudyReaders readers, CheckpointLimits limits)
    : directory_(std::move(directory)),
      readers_(std::move(readers)),
      store_(readers_.checkpoint, limits) {}

Result<StudyChanges> StudyLoader::refresh() {
  const FileStamp stamp = stamp_of(directory_ / "study.toml");
  const bool other = stamp != stamp_;
  if (!stamp.there) {
    *this = StudyLoader(directory_, readers_, store_.limits());
    return StudyChanges{other, other, other};
  }
  if (other) {
    if (Status read = read_study_file(); !read) return read.error();
    stamp_ = stamp;
  }
  StudyChanges changes = refresh_runs();
  changes.study = refresh_ledger() || changes.study || other;
  changes.checkpoints = refresh_checkpoints() || changes.checkpoints || other;
  changes.lens = changes.lens || other;
  const std::vector<std::string> notes = study_.notes;
  gather_notes();
  changes.study = changes.study || changes.checkpoints || notes != study_.notes;
  return changes;
}

Status StudyLoader::read_study_file() {
  Result<study::Study> study = study::read_study_in(directory_);
  if (!study) return study.error();
  if (study->seeds > most_runs / study->arms.size()) {
    return Error{(directory_ / "study.toml").string() + ": found " +
                 std::to_string(study->arms.size()) + " arms with " + std::to_string(study->seeds) +
                 " seeds each, allowed on a page: " + std::to_string(most_runs) + " runs"};
  }
  HeldOutSequence sequence;
  if (readers_.sequence) {
    Result<HeldOutSequence> found = readers_.sequence(*study);
    if (!found) return found.error();
    sequence = std::move(*found);
  }
  if (sequence.tokens != study_.sequence.tokens) store_.clear();
  study_ = {};
  study_.sequence = std::move(sequence);
  ledger_stamps_.clear();
  add_runs(*study);
  asked_ = std::move(*study);
  return {};
}

void StudyLoader::add_runs(const study::Study& study) {
  study_.name = study.name;
  study_.question = study.question;
  study_.tokens = study.arms.front().train.tokens;
  study_.swept = study.swept;
  const auto has_others = [&](const study::RunConfig& arm) {
    return arm.train.tokens != study_.tokens;
  };
  if (!study.swept.axes.empty() && std::ranges::any_of(study.arms, has_others)) study_.tokens = 0;
  files_.clear();
  for (std::size_t i = 0; i < study.arms.size(); ++i) {
    const study::RunConfig& config = study.arms[i];
    Arm arm;
    arm.name = config.arm;
    arm.parameters = parameters_of(config);
    arm.configuration = study::to_toml(config);
    arm.sequences = config.evaluate.sequences;
    std::vector<RunFiles> files;
    for (std::uint64_t seed = 0; seed < study.seeds; ++seed) {
      Run run;
      run.seed = seed;
      run.planned_tokens = planned_tokens(config);
      arm.runs.push_back(std::move(run));
      files.emplace_back(study::run_directory(directory_, config.arm, seed), study.run(i, seed),
                         arm.parameters);
    }
    study_.arms.push_back(std::move(arm));
    files_.push_back(std::move(files));
  }
}

StudyChanges StudyLoader::refresh_runs() {
  StudyChanges changes;
  faults_.clear();
  study_.threads = 0;
  for (std::size_t arm = 0; arm < files_.size(); ++arm) {
    for (std::size_t i = 0; i < files_[arm].size(); ++i) {
      RunFiles& files = files_[arm][i];
      const RunChanges run = files.refresh(study_.arms[arm].runs[i]);
      changes.study = changes.study || run.results || run.lens;
      changes.checkpoints = changes.checkpoints || run.results;
      changes.lens = changes.lens || run.lens;
      study_.threads = std::max(study_.threads, files.threads());
      const std::vector<std::string> faults = files.faults();
      faults_.insert(faults_.end(), faults.begin(), faults.end());
    }
  }
  return changes;
}

bool StudyLoader::refresh_ledger() {
  std::vector<FileStamp> stamps;
  for (const std::vector<RunFiles>& files : files_) {
    for (const RunFiles& run : files) {
      stamps.push_back(stamp_of(run.folder() / study::manifest_name));
    }
  }
  stamps.push_back(stamp_of(directory_ / "claims.json"));
  stamps.push_back(stamp_of(directory_ / study::manifest_name));
  // One that failed is tried again: of what it is made of, metrics.jsonl is not among the stamps.
  const bool same = stamps == ledger_stamps_;
  if (same && ledger_notes_.empty()) return false;
  ledger_stamps_ = std::move(stamps);
  const std::vector<std::string> notes = std::exchange(ledger_notes_, {});
  study_.ledger = nullptr;
  if (asked_.claims.empty()) {
    const Status whole = study::check_has_its_runs(asked_, directory_);
    if (!whole) ledger_notes_.push_back(whole.error().message);
    return !same || ledger_notes_ != notes;
  }
  const auto records = study::read_records(asked_, directory_);
  const auto statements = study::read_statements(asked_, directory_);
  if (records && statements) {
    study_.ledger = study::make_ledger(asked_, *records, *statements);
  } else {
    const Error& error = records ? statements.error() : records.error();
    ledger_notes_.push_back("no ledger: " + error.message);
  }
  return !same || ledger_notes_ != notes;
}

bool StudyLoader::refresh_checkpoints() {
  std::vector<CheckpointPlace> places;
  std::vector<Run*> runs;
  for (std::size_t arm = 0; arm < files_.size(); ++arm) {
    for (std::size_t i = 0; i < files_[arm].size(); ++i) {
      places.push_back({arm, study_.arms[arm].runs[i].seed, files_[arm][i].folder()});
      runs.push_back(&study_.arms[arm].runs[i]);
    }
  }
  ShownCheckpoints shown = store_.show(places, files_.size(), study_.sequence);
  bool changed = false;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (runs[i]->checkpoints == shown.of_run[i]) continue;
    runs[i]->checkpoints = std::move(shown.of_run[i]);
    changed = true;
  }
  checkpoint_notes_ = std::move(shown.notes);
  unread_checkpoints_ = std::move(shown.unread);
  for (std::size_t arm = 0; arm < files_.size(); ++arm) {
    if (shown.circuits_left_out[arm] == 0) continue;
    checkpoint_notes_.push_back("arm '" + study_.arms[arm].name +
                                "': " + std::to_string(shown.circuits_left_out[arm]) +
                                " of its circuits are not followed over the checkpoints, to keep "
                                "this page small; those shown are spread over its heads");
  }
  return changed;
}

void StudyLoader::gather_notes() {
  study_.notes = faults_;
  const auto add = [&](const std::vector<std::string>& notes) {
    study_.notes.insert(study_.notes.end(), notes.begin(), notes.end());
  };
  std::set<std::string> instruction_sets;
  for (const std::vector<RunFiles>& files : files_) {
    for (const RunFiles& run : files) {
      add(run.notes());
      instruction_sets.merge(run.instruction_sets());
    }
  }
  const std::string warning = study::warning_of(instruction_sets);
  if (!warning.empty()) study_.notes.push_back(warning);
  add(ledger_notes_);
  add(checkpoint_notes_);
  study_.unread = ledger_notes_;
  const auto add_unread = [&](const std::vector<std::string>& unread) {
    study_.unread.insert(study_.unread.end(), unread.begin(), unread.end());
  };
  for (const std::vector<RunFiles>& files : files_) {
    for (const RunFiles& run : files) add_unread(run.unread());
  }
  add_unread(unread_checkpoints_);
}

}  // namespace lookback::report
