// When each claim of a study was first stated, counted in runs that had ended: a claim that was
// made or changed after its runs is not a prediction, and must not look like one. Stored in
// DIR/claims.json.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/study/claim.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// What a claim's verdict depends on, and nothing else: its tests in the words of a study file, one
/// per arm, and the tokens it needs, sorted. Claims of the same form are one claim, whatever their
/// names and wording; any change to a test makes another.
using ClaimForm = std::vector<std::string>;
ClaimForm form_of(const Claim& claim);

struct Statement {
  std::string name;            ///< what the claim was called
  std::size_t runs_ended = 0;  ///< by the time it was stated
};

struct Statements {
  /// The study's runs that have ever ended, "ARM/seed-N", including those removed or made longer
  /// since, because their results could have been seen.
  std::set<std::string> ended;
  std::map<ClaimForm, Statement> claims;  ///< also those that the study no longer has

  /// None for a claim that is not recorded.
  std::optional<std::size_t> runs_ended_before(const Claim& claim) const;
};

/// The contents of DIR/claims.json, plus the runs that have ended since, and with every claim of
/// the study that it lacks stated now. Writes nothing. Errors: the file cannot be read, or is not
/// as it was written.
Result<Statements> read_statements(const Study& study, const std::filesystem::path& directory);

/// The same, and writes DIR/claims.json if it changed. To be called before runs are started: claims
/// that exist by then are predictions.
Result<Statements> record_statements(const Study& study, const std::filesystem::path& directory);

/// "stated after 3 of 9 runs had ended", "stated after the first seeds were known" (stated_after),
/// both, or nothing for a claim stated before any run ended.
std::string mark_of(const Claim& claim, std::optional<std::size_t> runs_ended, std::size_t runs);

}  // namespace lookback::study
