// Whether the files of runs and studies are as lookback wrote them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::study {

/// What was looked at, and what is wrong: a line each, with the file.
struct Verification {
  std::size_t studies = 0;
  std::size_t runs = 0;
  std::size_t unfinished = 0;  ///< of the runs
  std::size_t files = 0;
  std::vector<std::string> faults;
};

/// Checks a run, a study with its runs, or every one of these below a directory: each manifest against
/// itself and the run whose it is, each file against the manifest, each line of metrics and each checkpoint
/// against its own checksum and the run it is among, results for numbers that cannot be, that a finished
/// study has its runs, and that a run lies where its study has it. Reads everything
/// and changes nothing. Errors: neither a run nor a study anywhere below.
Result<Verification> verify(const std::filesystem::path& directory);

}  // namespace lookback::study
