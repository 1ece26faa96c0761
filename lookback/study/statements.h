// When each claim of a study was first stated, counted in runs that had ended: a claim that was made
// or changed after its runs is no prediction, and must not look like one. Kept in DIR/claims.json.
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

/// What a claim's verdict depends on, and nothing else: its tests in the words of a study file, one an
/// arm, and the tokens it needs, sorted. Claims of one form are one claim, whatever they are called and
/// however they are worded; any change of a test makes another.
using ClaimForm = std::vector<std::string>;
ClaimForm form_of(const Claim& claim);

struct Statement {
  std::string name;            ///< what the claim was called
  std::size_t runs_ended = 0;  ///< by the time it was stated
};

struct Statements {
  /// The study's runs that have ended at any time, "ARM/seed-N": also those removed or made longer
  /// since, for their results were there to be seen.
  std::set<std::string> ended;
  std::map<ClaimForm, Statement> claims;  ///< also those that the study no longer has

  /// None of a claim that is not recorded.
  std::optional<std::size_t> runs_ended_before(const Claim& claim) const;
};

/// What DIR/claims.json holds, with the runs that have ended since, and every claim of the study that it
/// lacks stated now. Writes nothing. Errors: the file cannot be read, or is not as it was written.
Result<Statements> read_statements(const Study& study, const std::filesystem::path& directory);

/// The same, and writes DIR/claims.json where that makes a difference. To be called before runs are
/// started: claims that are there by then are predictions.
Result<Statements> record_statements(const Study& study, const std::filesystem::path& directory);

/// "stated after 3 of 9 runs had ended", "stated after the first seeds were known" (stated_after), both,
/// or nothing of a claim that was there before any run ended.
std::string mark_of(const Claim& claim, std::optional<std::size_t> runs_ended, std::size_t runs);

}  // namespace lookback::study
