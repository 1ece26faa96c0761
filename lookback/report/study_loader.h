// A study's directory, read repeatedly; what has not changed is not read again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/checkpoint_store.h"
#include "lookback/report/file_stamp.h"
#include "lookback/report/load_study.h"
#include "lookback/report/run_files.h"
#include "lookback/report/study_report.h"
#include "lookback/study/study_file.h"

namespace lookback::report {

/// What changed since the last reading.
struct StudyChanges {
  bool study = false;        ///< anything that is said of the study
  bool checkpoints = false;  ///< maps and circuits
  bool lens = false;         ///< inspections
};

class StudyLoader {
 public:
  StudyLoader(std::filesystem::path directory, StudyReaders readers, CheckpointLimits limits);

  /// Reads the directory and brings study() up to date. Errors: study.toml cannot be read, or has
  /// no sequence to draw maps on; the previous state stays, and the next call tries again. Faults
  /// of runs are in faults().
  Result<StudyChanges> refresh();

  /// Whether there was a study.toml at the last reading.
  bool is_there() const { return stamp_.there; }

  const StudyReport& study() const { return study_; }
  /// Faulty files of runs, one line each. They are in study().notes too.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  Status read_study_file();
  void add_runs(const study::Study& study);
  StudyChanges refresh_runs();
  bool refresh_ledger();
  bool refresh_checkpoints();
  void gather_notes();

  std::filesystem::path directory_;
  StudyReaders readers_;
  CheckpointStore store_;
  FileStamp stamp_;                           // of study.toml
  study::Study asked_;                        // what it asks for
  std::vector<FileStamp> ledger_stamps_;      // of the files that the ledger is made of
  std::vector<std::vector<RunFiles>> files_;  // of each arm's runs
  std::vector<std::string> faults_, ledger_notes_, checkpoint_notes_, unread_checkpoints_;
  StudyReport study_;
};

}  // namespace lookback::report
