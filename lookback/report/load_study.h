// The results of a study, read from its directory.
#pragma once

#include <filesystem>
#include <functional>

#include "lookback/base/result.h"
#include "lookback/report/checkpoint_choice.h"
#include "lookback/report/study_report.h"
#include "lookback/study/study_file.h"

namespace lookback::report {

/// Reads one checkpoint file, once: every head's map on `sequence` (T tokens), and the corners of
/// its circuits. The report knows nothing about models, so its caller provides this. An error is a
/// file that cannot be read; a problem with only maps or only circuits is a fault in the contents.
using CheckpointReader = std::function<Result<CheckpointContents>(
    const std::filesystem::path& checkpoint, const HeldOutSequence& sequence)>;

/// The sequence on which a study's maps are drawn.
using SequenceReader = std::function<Result<HeldOutSequence>(const study::Study& study)>;

/// What the report needs from its caller; without `checkpoint` it has no maps and no circuits.
struct StudyReaders {
  SequenceReader sequence;
  CheckpointReader checkpoint;
};

/// Reads a study, finished or not, from DIR/study.toml (which says what its runs and claims are;
/// the ledger is decided again from the runs that have ended), and for every run
/// DIR/<arm>/seed-<n>/metrics.jsonl, findings.json if it has ended, timing.json, inspection.json
/// and .safetensors, and as many of its checkpoints/<tokens>.safetensors as fit `limits`: those are
/// chosen first, and no others are read (except a few that show the size).
///
/// Without findings.json the summary of a run covers its lines so far, with the status "training",
/// or "waiting" if it has no directory yet.
///
/// What a killed run leaves behind becomes a note in the result: an incomplete last line of
/// metrics, an unreadable checkpoint, inspection or timing, missing metrics of a run that diverged.
/// Anything else that is missing or malformed is an error that names the file, and the line or key.
Result<StudyReport> load_study(const std::filesystem::path& directory, const StudyReaders& readers,
                               const CheckpointLimits& limits = {});

}  // namespace lookback::report
