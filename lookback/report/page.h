// The page of a study: one file that opens from disk and fetches nothing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/report/study_report.h"

namespace lookback::report {

/// The most bytes that the attention maps of a page take, encoded. Beyond it checkpoints are
/// thinned out evenly, and after that seeds are left out; a note on the page says so.
inline constexpr std::size_t default_attention_bytes = 10'000'000;

/// The figures of a study in the order of the page: an array of {"id", "title", "caption",
/// "variants": [{"id", "label", "spec"}]}. `checkpoints` are the token counts of the slider.
nlohmann::json study_figures(const StudyReport& study,
                             const std::vector<std::uint64_t>& checkpoints);

/// Everything the page shows, as the JSON its script reads (web/src/data.ts names the fields).
/// Fails when a map is not T x T, or a circuit's matrix not V x V.
Result<nlohmann::json> page_data(const StudyReport& study,
                                 std::size_t max_attention_bytes = default_attention_bytes);

/// `page_template` with `title` (escaped for HTML) and `data` (escaped so that nothing in it can
/// end the script element it stands in) in their places. Fails when a place is missing.
Result<std::string> fill_page(std::string_view page_template, std::string_view title,
                              const nlohmann::json& data);

/// Writes DIR/figures/<id>.vl.json, of each arm's first inspected run DIR/figures/<arm>/<id>.vl.json,
/// and then DIR/report.html, each in one step, and returns the path of the page.
Result<std::filesystem::path> write_report(const std::filesystem::path& directory,
                                           const StudyReport& study,
                                           std::string_view page_template);

}  // namespace lookback::report
