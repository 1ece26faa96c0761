// A run that is made longer: at a constant learning rate nothing before a run's end depends on where that
// end is, so training resumes there and comes to the bits of a run that was long from the start.
#pragma once

#include <string>

#include "lookback/study/run_config.h"

namespace lookback::study {

/// " (KEY: found X, asked Y)" of the first key at which two configurations differ, for a message;
/// empty where there is none.
std::string difference_text(const std::string& found, const std::string& asked);

/// Whether `asked` is the run `found` with more tokens, and at a constant learning rate. Clamps that
/// hold to the end of the one hold to that of the other.
bool is_longer(const RunConfig& asked, const RunConfig& found);

/// Whether a checkpoint's configuration, as TOML, is that of this run or of a shorter one.
bool leads_to(const std::string& checkpoint, const RunConfig& config);

}  // namespace lookback::study
