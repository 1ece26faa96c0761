// Any text as what a run left behind (metrics.jsonl, inspection.json, findings.json,
// evaluation.json): refused in one line, or read into figures that are numbers.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "fuzz/input_directory.h"
#include "lookback/base/json_file.h"
#include "lookback/report/load_inspection.h"
#include "lookback/report/metrics_lines.h"
#include "lookback/study/findings.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/quantities.h"

namespace lookback::fuzz {
namespace {

using nlohmann::json;
using study::RunRecord;

const InputDirectory& files() {
  static const InputDirectory directory;
  return directory;
}

/// Every figure that a claim can speak of is a word, nothing, or a number; infinite where it may never
/// come.
void read_figures(const RunRecord& record) {
  for (const study::Quantity& quantity : study::quantities()) {
    const study::Figure figure = quantity.read(record, "repeated-blocks");
    const auto* const number = std::get_if<double>(&figure);
    if (number == nullptr) continue;
    require(!std::isnan(*number));
    require(quantity.may_be_never || std::isfinite(*number));
  }
}

void feed_metrics(std::string_view text) {
  const auto file = files().write("metrics.jsonl", text);
  std::vector<std::string> notes;
  const auto shown = report::read_metrics_lines(file, notes);
  if (!shown) require(is_one_line(shown.error().message));
  const auto lines = study::read_metrics(file, std::numeric_limits<std::uint64_t>::max());
  if (!lines) return require(is_one_line(lines.error().message));
  RunRecord record;
  record.findings = study::make_findings({}, {}, *lines);
  require(is_one_line(study::line_of(record.findings)));
  record.metrics = *lines;
  read_figures(record);
}

void check_interval(const report::LensValue& value) {
  require(std::isfinite(value.mean));
  if (value.interval) require(value.interval->low <= value.interval->high);
}

void feed_inspection(std::string_view text) {
  files().write("inspection.json", text);
  const auto shown = report::load_inspection(files().path());
  if (!shown) require(is_one_line(shown.error().message));
  if (shown) {
    for (const report::LensFact& fact : shown->mechanism.facts) check_interval(fact.value);
    for (const report::LensPath& path : shown->paths) check_interval(path.value);
  }
  RunRecord record;
  record.inspection = base::parse_json(text);
  if (record.inspection.is_object()) read_figures(record);
}

/// One input: its first byte says what the others are.
void feed(std::string_view bytes) {
  if (bytes.empty()) return;
  const char form = bytes[0];
  bytes.remove_prefix(1);
  if (form == 'm') return feed_metrics(bytes);
  if (form == 'i') return feed_inspection(bytes);
  RunRecord record;
  (form == 'e' ? record.evaluation : record.findings) = base::parse_json(bytes);
  if (record.evaluation.is_object() || record.findings.is_object()) read_figures(record);
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
