// A run's manifest through its life: begun with the run, complete when it has ended.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "lookback/base/result.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// A checksum that tells runs apart, and is the same for a run however long it is made (longer_run.h):
/// each line of metrics is bound to it.
std::string identity_of(const RunConfig& config);

/// Training begins or goes on in `directory` at `step`: notes whose run it is, which program, engine,
/// instruction set and machine train it from there, and lists config.toml, tokenizer.json
/// and data.json.
Status note_stretch(const std::filesystem::path& directory, const RunConfig& config,
                    std::uint64_t step);

/// Lists everything that a run has written, findings.json with it: it has ended.
Status note_end(const std::filesystem::path& directory);

/// Makes an ended run one that has not, whose files may change. Killed in between, it is either.
Status note_reopening(const std::filesystem::path& directory);

/// Whether the run in `directory` has ended: its manifest lists findings.json. Errors: the manifest
/// cannot be read, was changed, or is missing beside a findings.json.
Result<bool> has_ended(const std::filesystem::path& directory);

/// The same, and as long as `config` asks: one with fewer tokens has not come to its end (longer_run.h).
/// Errors: as above, and another run than `config`.
Result<bool> has_ended_as(const RunConfig& config, const std::filesystem::path& directory);

/// Whether the run ended and did not diverge. Errors: as above, and findings that were changed.
Result<bool> has_finished(const std::filesystem::path& directory);

/// The instruction sets that gave a run its bits.
std::set<std::string> instruction_sets_of(const Manifest& manifest);

/// What to say of a study whose runs were made on these; empty where it is one, or none is known.
std::string warning_of(const std::set<std::string>& instruction_sets);

}  // namespace lookback::study
