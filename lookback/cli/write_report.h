// The page of a study directory: what `lookback study` ends with and `lookback report` repeats.
#pragma once

#include <filesystem>

#include "lookback/base/result.h"

namespace lookback::cli {

/// Reads the study's files, computes every checkpoint's attention maps on one held-out sequence, and
/// writes DIR/figures and DIR/report.html. Returns the absolute path of the page.
Result<std::filesystem::path> write_report(const std::filesystem::path& directory);

}  // namespace lookback::cli
