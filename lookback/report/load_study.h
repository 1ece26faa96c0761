// The results of a study, read from its directory.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// Computes every head's map of one checkpoint file on a sequence of T tokens. The report knows no
/// models, so its caller brings this.
using AttentionReader = std::function<Result<std::vector<AttentionMap>>(
    const std::filesystem::path& checkpoint, const HeldOutSequence& sequence)>;

/// Reads DIR/summary.json, DIR/study.toml where the summary has no question, and of every run
/// DIR/<arm>/seed-<n>/metrics.jsonl, its checkpoints/<tokens>.safetensors, whose maps on `sequence`
/// come from `read_attention` (none when it is empty), config.toml and inspection.json and .npz,
/// where they are.
///
/// What a killed run leaves behind becomes a note in the result: a torn last line of metrics, a
/// checkpoint or an inspection that cannot be read, no metrics of a run that did not finish. Anything
/// else that is
/// missing or malformed is an error that names the file, and the line or key.
Result<StudyReport> load_study(const std::filesystem::path& directory,
                               const HeldOutSequence& sequence,
                               const AttentionReader& read_attention);

}  // namespace lookback::report
