// The page of a study directory, which `lookback study` writes at its end and `lookback report`
// writes again.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::cli {

/// Reads the files of a study, finished or not, with maps and circuits of as many checkpoints as fit, and
/// writes DIR/figures and DIR/report.html. Returns the absolute path of the page.
Result<std::filesystem::path> write_report(const std::filesystem::path& directory);

}  // namespace lookback::cli
