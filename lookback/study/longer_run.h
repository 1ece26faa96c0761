// How a run's directory stands to a configuration, and a run that is made longer: at a constant
// learning rate nothing before a run's end depends on where that end is, so it can go on from there
// to the bits of a run that was long from the start.
#pragma once

#include <filesystem>
#include <string>

#include "lookback/base/result.h"
#include "lookback/study/run_config.h"

namespace lookback::study {

/// " (KEY: found X, asked Y)" of the first key at which two configurations differ, for a message;
/// empty where there is none.
std::string difference_text(const std::string& found, const std::string& asked);

/// Whether `asked` is the run `found` with more tokens, and at a constant learning rate. Clamps that
/// hold to the end of the one hold to that of the other.
bool is_longer(const RunConfig& asked, const RunConfig& found);

/// What a directory holds, by its config.toml: no run, this one, or this one with fewer tokens.
enum class Standing { empty, same, shorter };

/// Errors: another run, and a config.toml that cannot be read.
Result<Standing> standing_of(const RunConfig& config, const std::filesystem::path& directory);

/// Whether a checkpoint's configuration, as TOML, is that of this run or of a shorter one.
bool leads_to(const std::string& checkpoint, const RunConfig& config);

/// Takes from an unfinished run what is only of one that ended sooner: its inspection, and its last
/// checkpoint where the longer run makes none there, which becomes the one to go on from. Once more,
/// it does nothing.
Status remove_shorter_end(const RunConfig& config, const std::filesystem::path& directory);

}  // namespace lookback::study
