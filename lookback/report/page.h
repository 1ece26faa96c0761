// The page of a study: one file that opens from disk and fetches nothing.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// JSON text, whatever the strings contain: bytes that are not UTF-8 become the replacement
/// character.
std::string to_text(const nlohmann::json& value);

/// Everything the page shows, as the JSON its script reads: the parts of the study (study_data.h),
/// its attention (attention_data.h), its lens (lens_data.h) and its frames (frames_data.h) as one
/// object. Fails when an inspected circuit's matrix is not V x V.
Result<nlohmann::json> page_data(const StudyReport& study);

/// `page_template` with `title` (escaped for HTML) and `data` (escaped so that nothing in it can
/// end its script element) filled in. Fails if a placeholder is missing.
Result<std::string> fill_page(std::string_view page_template, std::string_view title,
                              const nlohmann::json& data);

/// Writes DIR/figures/<id>.vl.json, for each arm's first inspected run
/// DIR/figures/<arm>/<id>.vl.json, and then DIR/report.html, each atomically, and returns the path
/// of the page.
Result<std::filesystem::path> write_report(const std::filesystem::path& directory,
                                           const StudyReport& study,
                                           std::string_view page_template);

}  // namespace lookback::report
