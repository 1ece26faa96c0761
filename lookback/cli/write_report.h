// The page of a study directory: what `lookback study` ends with and `lookback report` repeats.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::cli {

/// Reads the files of a study, finished or not, with maps and circuits of as many checkpoints as fit, and
/// writes DIR/figures and DIR/report.html. Returns the absolute path of the page.
Result<std::filesystem::path> write_report(const std::filesystem::path& directory);

}  // namespace lookback::cli
