// Any text as a study file: refused in one line, or read into runs that their own files give back.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/check.h"
#include "lookback/study/run_config.h"
#include "lookback/study/study_file.h"

namespace lookback::fuzz {
namespace {

/// study.toml and each config.toml say the same as what was read.
void check_written(const study::Study& read) {
  const auto again = study::parse_study(read.text, "study.toml", {});
  require(bool(again) && again->arms == read.arms && again->seeds == read.seeds);
  for (std::size_t arm = 0; arm < read.arms.size(); ++arm) {
    study::RunConfig run = read.run(arm, read.seeds - 1);
    run.evaluate.inspect = true;  // the one key that is no part of a run, and not written
    const auto config = study::parse_run_config(study::to_toml(run), "config.toml");
    require(bool(config) && *config == run);
  }
}

/// One input: as a study file, and as the configuration of one run.
void feed(const std::string& text) {
  if (const auto read = study::parse_study(text, "study.toml", {})) {
    check_written(*read);
  } else {
    require(is_one_line(read.error().message));
  }
  const auto config = study::parse_run_config(text, "config.toml");
  if (!config) return require(is_one_line(config.error().message));
  const auto again = study::parse_run_config(study::to_toml(*config), "config.toml");
  require(bool(again) && *again == *config);
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
