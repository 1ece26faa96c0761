// Any text as a study file: refused in one line, or read into runs that their own files give back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lookback/study/run_config.h"
#include "lookback/study/study_file.h"

namespace {

namespace study = lookback::study;

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_one_line(const std::string& message) {
  return !message.empty() && message.find('\n') == std::string::npos;
}

/// study.toml and each config.toml say the same as what was read.
void check_written(const study::Study& read) {
  const auto again = study::parse_study(read.text, "study.toml", {});
  require(bool(again) && again->arms == read.arms && again->seeds == read.seeds);
  for (std::size_t arm = 0; arm < read.arms.size(); ++arm) {
    const study::RunConfig run = read.run(arm, read.seeds - 1);
    const auto config = study::parse_run_config(study::to_toml(run), "config.toml");
    require(bool(config) && *config == run);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = study::parse_study(text, "study.toml", {});
  if (read) {
    check_written(*read);
  } else {
    require(is_one_line(read.error().message));
  }
  const auto config = study::parse_run_config(text, "config.toml");
  require(bool(config) || is_one_line(config.error().message));
  return 0;
}
