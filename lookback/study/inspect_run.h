// The inspection that a run ends with.
//
//   RUN/inspection.json           what `lookback inspect RUN --json` prints
//   RUN/inspection.safetensors    what --arrays writes
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/inspection.h"
#include "lookback/study/study.h"

namespace lookback::study {

/// The sequences of each probe: as many as the run was evaluated on, but at least 2, for an
/// interval.
std::size_t inspected_sequences(const EvaluateConfig& evaluate);

/// inspect, with the transitions of the run that `checkpoint` lies in, if it lies in one. Errors: those
/// of inspect, and metrics that are damaged or cannot be read.
Result<Inspection> inspect_checkpoint(const std::filesystem::path& checkpoint,
                                      const SavedModel& model, const InspectionOptions& options,
                                      model::Engine& engine);

/// The files of an inspection in a run's directory. The last is what earlier builds wrote instead
/// of the second; such an inspection is repeated.
inline constexpr const char* inspection_files[] = {"inspection.json", "inspection.safetensors",
                                                   "inspection.npz"};

/// Whether the run in a directory wants an inspection, can have one, and has none in the format of today.
/// A run that has not ended, or diverged, cannot. Errors: files of the run were changed or cannot be read.
Result<bool> lacks_inspection(const RunConfig& config, const std::filesystem::path& run);

/// Inspects the last checkpoint of the ended run in the locked directory, on inspected_sequences, writes the
/// arrays and the JSON, the same bytes on any number of threads, and lists both in the run's manifest.
/// Nothing is done where it lacks none. Errors: whatever kept the inspection from being made, a stop too; the
/// run stands without it, and nothing is written.
Status inspect_run(const RunConfig& config, const DirectoryLock& lock, model::Engine& engine,
                   Listener& listener);

}  // namespace lookback::study
