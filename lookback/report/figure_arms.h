// How figures tell the arms of a study apart: by a color each, or, of a sweep, by the swept number.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lookback/report/study_report.h"

namespace lookback::report {

/// The arms of a figure in their order. Of plain names each has a color, and where colors return dashes;
/// of a sweep the color says where an arm lies on the first axis, and dashes say of which [[arm]] it is.
class FigureArms {
 public:
  FigureArms() = default;
  FigureArms(std::vector<std::string> names);  // NOLINT(google-explicit-constructor)
  explicit FigureArms(const StudyReport& study);

  auto begin() const { return names_.begin(); }
  auto end() const { return names_.end(); }
  std::size_t size() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& color(std::size_t arm) const { return colors_[arm]; }

  /// Adds encodings of color and, where they are needed, of dashes.
  void encode(nlohmann::json& encoding) const;

  /// What the page shows in place of a list of all arms: {"title", "entries": [{"label", "color",
  /// "dashed"}]}; null without a sweep.
  nlohmann::json legend() const;

 private:
  /// An arm that stands in the legend for all that look like it, and what it is called there.
  struct Entry {
    std::size_t arm = 0;
    std::string label;
  };
  nlohmann::json legend_of(const std::vector<Entry>& entries) const;

  std::vector<std::string> names_, colors_;
  std::vector<std::size_t> dashes_;  // 0: a line without gaps
  bool is_swept_ = false;
  std::string key_;
  std::vector<Entry> places_, bases_;  // of a sweep: a color each, a dash each
};

}  // namespace lookback::report
