// A study file: a question, its arms, and how often each is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/claim.h"
#include "lookback/study/run_config.h"
#include "lookback/study/sweep.h"

namespace lookback::study {

struct Study {
  std::string name;
  std::string question;
  std::uint64_t seeds = 1;         ///< each arm runs with seeds 0 .. seeds - 1
  std::vector<RunConfig> arms;     ///< with seed 0; of a sweep an arm for each point
  SweptArms swept;                 ///< what the arms have as their points, in the same order
  std::vector<Claim> claims;       ///< what its runs decide
  std::vector<std::string> sizes;  ///< that it can be run at, "default" first
  std::string text;                ///< the study as TOML, the command line's changes included

  std::uint64_t run_count() const { return seeds * arms.size(); }
  /// The place of a run among all of the study's, from 1: its arms are run with one seed, then with the
  /// next.
  std::uint64_t run_number(std::string_view arm, std::uint64_t seed) const;

  RunConfig run(std::size_t arm, std::uint64_t seed) const {
    RunConfig config = arms[arm];
    config.seed = seed;
    return config;
  }
};

/// What the command line may change.
struct Overrides {
  std::optional<std::uint64_t> tokens = {};
  std::optional<std::uint64_t> seeds = {};
  std::optional<std::string> size =
      {};  ///< one of the study's [sizes]; the others then hold over it
  std::optional<std::string> directory = {};  ///< of the text that its runs learn from
  std::optional<std::string> checksum = {};   ///< of that text, found by looking at it
};

/// Reads a study file: `name`, `question`, `seeds`, the tables [model], [init], [data], [train],
/// [evaluate] and [clamp.NAME] that hold for all arms, and an [[arm]] for each arm with its `name`
/// and the tables that it changes or adds ([arm.model], [arm.clamp.NAME], ...); [sweep] (sweep.h), whose
/// points are laid over every arm, or over the study where it has none; [[claim]]s (claim.h).
/// [sizes.NAME], with `seeds` and tables that are laid over the study's, [arm.sizes.NAME], with tables
/// that are laid over the arm's, and [claim.sizes.NAME], with the claim's `needs_tokens`, where that
/// size is asked for ("default" is the study as it stands); all of them are read, so that a mistake
/// does not wait. Errors: FILE:LINE, the key, what was found, what is allowed.
Result<Study> read_study(const std::string& path, const Overrides& overrides);

/// The same from text; `file_name` is for messages.
Result<Study> parse_study(const std::string& text, const std::string& file_name,
                          const Overrides& overrides);

/// The same without its question and its claims, which are no part of its runs: whatever they hold
/// is not read, and `text` has neither.
Result<Study> parse_runs_of_study(const std::string& text, const std::string& file_name);

}  // namespace lookback::study
