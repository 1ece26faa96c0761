// What is at a path already, so that nothing is written over what is of another kind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lookback/base/result.h"

namespace lookback::study {

/// What a study calls a run, and where its directory keeps it: <arm>/seed-<n>.
std::string run_name(const std::string& arm, std::uint64_t seed);
std::filesystem::path run_directory(const std::filesystem::path& study, const std::string& arm,
                                    std::uint64_t seed);

/// What a directory holds, by the files that make it that.
enum class DirectoryKind {
  other,     ///< nothing, nothing of ours, or no directory at all
  study,     ///< study.toml and summary.json or runs: what `lookback study` made
  arm,       ///< seed-<n>/config.toml: the runs of one arm of a study
  run,       ///< config.toml and checkpoints or metrics
  exported,  ///< config.json and model.safetensors
};
/// Errors: it cannot be looked into.
Result<DirectoryKind> kind_of(const std::filesystem::path& directory);

/// Refuses a directory that holds something of ours and not of the kind that is to be written there, or,
/// where a study or a run is to begin, files that are none of ours: one line that names what is there.
Status check_directory(const std::filesystem::path& directory, DirectoryKind wanted);

/// Refuses a path where something is that writing a model alone must not replace: a directory, a
/// checkpoint that a run can go on from, or a file that is no model of ours (with the reason) and not
/// empty.
Status check_model_file(const std::filesystem::path& file);

/// Refuses a path where something is that a JSON file of results, or a tokenizer, must not replace: a
/// directory, a file that a manifest beside it lists, or one that is neither empty nor JSON.
Status check_json_file(const std::filesystem::path& file);

/// The runs of a study's or an arm's directory that have a checkpoint, by name. Errors: it cannot be
/// looked into.
Result<std::vector<std::filesystem::path>> runs_in(const std::filesystem::path& directory);

}  // namespace lookback::study
