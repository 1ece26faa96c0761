// The page's data of a study directory, read repeatedly while its runs train.
#pragma once

#include <atomic>
#include <filesystem>

#include "lookback/report/page_parts.h"

namespace lookback::cli {

/// Returns the parts of the page from the files of the directory as they are now; none while there
/// is no study. When `stopping`, which must outlive it, becomes true, a reading in progress fails
/// soon.
report::Refresh watch_study(const std::filesystem::path& directory,
                            const std::atomic<bool>& stopping);

}  // namespace lookback::cli
