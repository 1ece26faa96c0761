// Any text as what a run left behind (metrics.jsonl, inspection.json, findings.json,
// evaluation.json): refused in one line, or read into figures that are numbers.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "fuzz/input_directory.h"
#include "lookback/base/json_file.h"
#include "lookback/report/load_inspection.h"
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

constexpr const char* identity = "0123456789abcdef";

/// The lines of the text that could be those of a run.
std::vector<json> lines_of(std::string_view text) {
  std::vector<json> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    json parsed = base::parse_json(line);
    if (!study::fault_of_metrics(parsed).empty()) continue;
    if (lines.empty() || parsed["step"] > lines.back()["step"]) lines.push_back(std::move(parsed));
  }
  return lines;
}

/// As it is the text is refused, for its checksums are not known; what its lines say, written as a run
/// does, is read back, and made into findings and figures.
void feed_metrics(std::string_view text) {
  const auto file = files().write("metrics.jsonl", text);
  const auto as_it_is = study::read_whole_metrics(file, identity);
  require(as_it_is && as_it_is->lines.empty());
  require(as_it_is->fault.empty() || is_one_line(as_it_is->fault));
  RunRecord record;
  record.metrics = lines_of(text);
  require(bool(study::MetricsWriter(file, identity).begin(record.metrics)));
  const auto again = study::read_metrics(file, identity);
  require(again && *again == record.metrics);
  if (record.metrics.empty()) return;  // a run has one line at least
  record.findings = study::make_findings({}, {}, record.metrics);
  require(is_one_line(study::line_of(record.findings)));
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
