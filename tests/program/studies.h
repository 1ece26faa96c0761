// Small studies for real processes, and what a run leaves that must be the same however it came about.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/program/process.h"

namespace lookback::program::spec {

/// Three arms (two-layer, parallel, sequential) of so many steps of 256 tokens.
std::string three_arms(std::size_t steps, const std::string& more_training = "");

/// For the last of the three arms: clamps that begin and end on its way through forty steps.
extern const char* const clamps;

/// Six arms, one of each kind of wiring, of twenty steps, evaluated often.
std::string six_wirings();

/// Writes a study file into a directory and gives its path.
std::string write_study(const test::TemporaryDirectory& directory, const std::string& text);

/// Writes a study of two arms, "ov" and "no-ov", of so many steps of 256 tokens of a made-up text, which
/// it prepares as `directory`/books; gives its path.
std::string write_text_study(const test::TemporaryDirectory& directory, std::size_t steps,
                             const std::string& more_training = "");

/// Every file below a run's or study's directory with its bytes, by its path in it. Left out is what
/// tells of time and place (timing.json, summary.json, the report, and the manifests that list them)
/// and the locks.
std::map<std::string, std::string> results(const std::filesystem::path& directory);

/// Makes a run that has ended one that was killed before it noted its end, and a study that is finished
/// one that was stopped before its summary.
void unfinish(const std::filesystem::path& run);
void unfinish_study(const std::filesystem::path& study);

/// Names the files that differ, instead of printing them.
void expect_same_results(const std::map<std::string, std::string>& found,
                         const std::map<std::string, std::string>& expected);

/// Expects that it failed as it should: exit code `code` (by default that of bad input), nothing on
/// stdout, and on stderr one line "lookback: ...", which is returned without its beginning.
std::string one_line(const Ended& ended, int code = 2);

}  // namespace lookback::program::spec
