#include "lookback/report/live_study.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "lookback/base/require.h"
#include "lookback/report/attention_data.h"
#include "lookback/report/frames_data.h"
#include "lookback/report/lens_data.h"
#include "lookback/report/page.h"
#include "lookback/report/study_data.h"

namespace lookback::report {

using nlohmann::json;

LiveStudy::LiveStudy(std::filesystem::path directory, StudyReaders readers,
                     std::uint64_t last_version, CheckpointLimits limits)
    : loader_(std::move(directory), std::move(readers), limits), last_version_(last_version) {
  LOOKBACK_REQUIRE(last_version < std::uint64_t{1} << 52U);
}

void LiveStudy::set(const std::string& name, const json& data) {
  std::string text = to_text(data);
  std::shared_ptr<const PagePart>& part = parts_[name];
  if (part != nullptr && part->text == text) return;
  part = std::make_shared<const PagePart>(PagePart{++last_version_, std::move(text)});
}

Result<PageParts> LiveStudy::refresh() {
  const Result<StudyChanges> changes = loader_.refresh();
  if (!changes) return changes.error();
  if (!loader_.is_there()) {
    parts_.clear();
    lens_notes_.clear();
    due_ = {};
    return parts_;
  }
  due_.study = due_.study || changes->study;
  due_.checkpoints = due_.checkpoints || changes->checkpoints;
  due_.lens = due_.lens || changes->lens;
  const StudyReport& study = loader_.study();
  if (due_.lens) {
    std::vector<std::string> notes;
    const Result<json> lens = lens_data(study, LensLimits{}, notes);
    if (!lens) return lens.error();
    set("lens", *lens);
    due_.study = due_.study || notes != lens_notes_;
    lens_notes_ = std::move(notes);
  }
  if (due_.checkpoints) {
    set("attention", attention_data(study));
    set("frames", frames_data(study));
  }
  if (due_.study) {
    std::vector<std::string> notes = study.notes;
    notes.insert(notes.end(), lens_notes_.begin(), lens_notes_.end());
    set("study", study_data(study, notes));
  }
  due_ = {};
  return parts_;
}

}  // namespace lookback::report
