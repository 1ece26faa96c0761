// A study's own files in its directory: study.toml, and which runs its manifest says are its.
#pragma once

#include <filesystem>
#include <string>

#include "lookback/base/result.h"
#include "lookback/study/manifest.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// Whether a manifest's owner is the study whose runs this text gives, or about to be.
bool is_study_of(const Manifest& manifest, const std::string& text);

/// What to say of a study.toml whose runs are not those of the manifest.
Error edited_runs(const std::filesystem::path& file);

/// Writes DIR/study.toml, and notes in the manifest what its runs are: before and after, so that a kill
/// in between leaves no study file that seems to have been changed by hand.
Status write_study_file(const Study& study, const std::filesystem::path& directory);

/// Reads DIR/study.toml. Errors: those of read_study; what its runs are was changed since they were
/// started.
Result<Study> read_study_in(const std::filesystem::path& directory);

/// Whether every run of the study had ended, and its summary was written.
Result<bool> is_finished(const std::filesystem::path& directory);

/// Of a finished study: every run is there, has ended, and is still the one that the study was finished
/// with. Errors: the first that is not, for it was removed or changed; what is_finished cannot tell.
Status check_has_its_runs(const Study& study, const std::filesystem::path& directory);

/// What to say of a run that a finished study lacks.
Error lacking_run(const std::filesystem::path& run);

}  // namespace lookback::study
