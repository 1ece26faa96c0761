// The page's data of a study directory, looked at again and again while its runs train.
#pragma once

#include <atomic>
#include <filesystem>

#include "lookback/report/page_parts.h"

namespace lookback::cli {

/// Gives the parts of the page as the files of the directory are now; none while there is no study.
/// When `stopping` becomes true, which must outlive it, a look that is under way fails soon.
report::Refresh watch_study(const std::filesystem::path& directory,
                            const std::atomic<bool>& stopping);

}  // namespace lookback::cli
