// A run's manifest through its life: created with the run, complete when it has ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/model/engine.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// A checksum that identifies a run, and stays the same when the run is made longer (longer_run.h):
/// each line of metrics is bound to it.
std::string identity_of(const RunConfig& config);

/// The owner of a manifest's files, and whether it is the run of `config`, whatever its length.
nlohmann::json owner_of(const RunConfig& config);
bool is_owner(const Manifest& manifest, const RunConfig& config);

/// Training begins or goes on in `directory` at `step`: notes whose run it is, which program, engine and
/// machine train it from there, and lists config.toml, tokenizer.json and data.json. Where the manifest
/// was lost, the checkpoints know which engines trained the run so far.
Status note_stretch(const std::filesystem::path& directory, const RunConfig& config,
                    std::uint64_t step, const model::Engine& engine);

/// Lists everything that a run has written, including findings.json: it has ended. Errors: a
/// checkpoint is damaged, or is not the one of this run that its name says.
Status note_end(const std::filesystem::path& directory, const RunConfig& config);

/// Files that look like an ended run's but are not in its manifest: results, checkpoints, a state
/// to resume from. They were added by hand, or left by a killed process. By path from the
/// directory.
Result<std::vector<std::string>> unlisted_files(const std::filesystem::path& directory,
                                                const Manifest& manifest);

/// Turns an ended run into one that has not ended, whose files may change. If killed in between, it
/// is one or the other.
Status note_reopening(const std::filesystem::path& directory);

/// What an OpenedRun says, for callers that need nothing else.
Result<bool> has_ended(const std::filesystem::path& directory);
Result<bool> has_ended_as(const RunConfig& config, const std::filesystem::path& directory);

/// Whether the run ended and did not diverge. Errors: as above, and findings that were changed.
Result<bool> has_finished(const std::filesystem::path& directory);

/// The engines that gave a run its bits, those of its inspection and evaluation too, by signature.
std::set<std::string> engines_of(const Manifest& manifest);

/// What to say of a study whose runs were made by these; empty where it is one, or none is known.
std::string warning_of(const std::set<std::string>& engines);

}  // namespace lookback::study
