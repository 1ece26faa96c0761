// A study's own files in its directory: study.toml, and which of its runs may be made there.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// Writes DIR/study.toml, and notes in the manifest what its runs are: before and after, so that a kill
/// in between leaves no study file that seems to have been changed by hand.
Status write_study_file(const Study& study, const std::filesystem::path& directory);

/// Refuses a directory whose study.toml is a person's own: not as this study is written, and where no
/// study has begun. Writes nothing there, no lock either.
Status check_study_file(const Study& study, const std::filesystem::path& directory);

/// Whether `directory` may be used for this study, and makes it one of it: it holds this very study,
/// perhaps with fewer seeds or shorter runs, or none. What its runs are to answer and decide is no part
/// of them: question and claims may be others. What a change makes untrue is removed. Errors: another
/// study, a study that needs `resume`. REQUIRES the lock of the directory.
Status claim_directory(const Study& study, const std::filesystem::path& directory, bool resume);

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
