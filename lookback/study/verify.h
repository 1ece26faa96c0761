// Whether the files of runs and studies are as lookback wrote them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::study {

/// What was checked, and what is wrong: one line each, with the file.
struct Verification {
  std::size_t studies = 0;
  std::size_t runs = 0;
  std::size_t unfinished = 0;  ///< of the runs
  std::size_t files = 0;
  std::vector<std::string> faults;
};

/// Checks a run, a study with its runs, or all of these below a directory: each manifest against
/// itself and its run, each file against the manifest, each line of metrics and each checkpoint
/// against its own checksum and its run, results for impossible numbers, that a finished study has
/// its runs, and that a run is in the right place in its study. Reads everything and changes
/// nothing. Errors: neither a run nor a study anywhere below.
Result<Verification> verify(const std::filesystem::path& directory);

}  // namespace lookback::study
