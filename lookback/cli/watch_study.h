// The page's data of a study directory, read repeatedly while its runs train.
#pragma once

#include <filesystem>
#include <stop_token>

#include "lookback/report/page_parts.h"

namespace lookback::cli {

/// Gives the parts of the page as the files of the directory are now; none while there is no study.
/// Once `stop` is requested, a look that is under way fails soon.
report::Refresh watch_study(const std::filesystem::path& directory, std::stop_token stop);

}  // namespace lookback::cli
