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
/// its circuits. The report knows no models, so its caller brings this. An error is a file that
/// cannot be read; what is wrong with maps or circuits alone is a fault in the contents.
using CheckpointReader = std::function<Result<CheckpointContents>(
    const std::filesystem::path& checkpoint, const HeldOutSequence& sequence)>;

/// The sequence on which a study's maps are drawn.
using SequenceReader = std::function<Result<HeldOutSequence>(const study::Study& study)>;

/// What the report does not know itself; without `checkpoint` it has no maps and no circuits.
struct StudyReaders {
  SequenceReader sequence;
  CheckpointReader checkpoint;
};

/// Reads a study, finished or not, from DIR/study.toml (which says what its runs are, and what it
/// claims of them: the ledger is made anew of the runs that have ended), and of every run DIR/<arm>/seed-<n>/metrics.jsonl, findings.json
/// where it has ended, timing.json, inspection.json and .safetensors, and as many of its
/// checkpoints/<tokens>.safetensors as fit `limits`: those are chosen first, and no others are read
/// (but a few that tell the size).
///
/// Without findings.json the summary of a run says what its lines so far do, with the status
/// "training", or "waiting" where it has no directory yet.
///
/// What a killed run leaves behind becomes a note in the result: a torn last line of metrics, a
/// checkpoint, inspection or timing that cannot be read, no metrics of a run that diverged.
/// Anything else that is missing or malformed is an error that names the file, and the line or key.
Result<StudyReport> load_study(const std::filesystem::path& directory, const StudyReaders& readers,
                               const CheckpointLimits& limits = {});

}  // namespace lookback::report
