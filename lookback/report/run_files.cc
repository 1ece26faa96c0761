#include "lookback/report/run_files.h"

#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "lookback/base/json_file.h"
#include "lookback/report/json_access.h"
#include "lookback/report/load_inspection.h"
#include "lookback/report/metrics_lines.h"
#include "lookback/study/findings.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/one_run.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_findings_bytes = std::size_t{64} << 20U;
constexpr std::size_t max_timing_bytes = std::size_t{1} << 20U;

/// Whether findings can be made from a line that comes after `before` tokens.
bool is_measured(const json& line, const std::optional<std::uint64_t>& before) {
  const std::optional<std::uint64_t> tokens = find_count(line, {"tokens"});
  return study::is_metrics_line(line) && tokens && (!before || *tokens > *before);
}

bool are_measured(const std::vector<json>& metrics) {
  std::optional<std::uint64_t> before;
  for (const json& line : metrics) {
    if (!is_measured(line, before)) return false;
    before = find_count(line, {"tokens"});
  }
  return true;
}

/// Those lines of others that findings can be made from.
std::vector<json> measured_lines(const std::vector<json>& metrics) {
  std::vector<json> lines;
  std::optional<std::uint64_t> before;
  for (const json& line : metrics) {
    if (!is_measured(line, before)) continue;
    before = find_count(line, {"tokens"});
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

RunFiles::RunFiles(fs::path folder, study::RunConfig config, std::size_t parameters)
    : folder_(std::move(folder)), config_(std::move(config)), parameters_(parameters) {}

bool RunFiles::Watched::changed(std::vector<FileStamp> now) {
  if (now == stamps && fault.empty()) return false;
  stamps = std::move(now);
  fault.clear();
  notes.clear();
  return true;
}

RunChanges RunFiles::refresh(Run& run) {
  RunChanges changes;
  // Findings before metrics: a run that ends in between is found to have ended the next time.
  changes.results = read_findings();
  changes.results = read_timing() || changes.results;
  changes.results = read_metrics(run) || changes.results;
  changes.lens = read_lens(run);
  const bool stands = find_text(run.summary, {"status"}) == status_now();
  if (changes.results || !stands) {
    run.summary = summary_now(run);
    changes.results = true;
  }
  return changes;
}

bool RunFiles::read_findings() {
  const fs::path path = folder_ / "findings.json";
  const FileStamp stamp = stamp_of(path);
  if (!findings_.changed({stamp, stamp_of(folder_ / "config.toml")})) return false;
  if (!study::has_ended_as(config_, folder_)) {  // or as a shorter one, that goes on
    found_ = nullptr;
    return true;
  }
  const Result<json> findings = base::read_json_object(path, max_findings_bytes);
  if (!findings) {
    findings_.fault = findings.error().message;
    return false;
  }
  const std::string status = find_text(*findings, {"status"});
  if (status != "finished" && status != "diverged") {
    findings_.fault = path.string() + ": key 'status': expected \"finished\" or \"diverged\"";
    return false;
  }
  found_ = study::summary_of(*findings);
  return true;
}

bool RunFiles::read_timing() {
  const fs::path path = folder_ / "timing.json";
  const FileStamp stamp = stamp_of(path);
  if (!timing_.changed({stamp})) return false;
  tokens_per_second_ = nullptr;
  if (!stamp.there) return true;
  const Result<json> timing = base::read_json_object(path, max_timing_bytes);
  if (!timing) {
    timing_.notes.push_back("left out: " + timing.error().message);
    return true;
  }
  if (const auto rate = find_number(*timing, {"tokens_per_second"})) tokens_per_second_ = *rate;
  threads_ = find_count(*timing, {"threads"}).value_or(0);
  return true;
}

bool RunFiles::read_metrics(Run& run) {
  const fs::path path = folder_ / "metrics.jsonl";
  const FileStamp stamp = stamp_of(path);
  if (!metrics_.changed({stamp, findings_.stamps.front()})) return false;
  if (!stamp.there && find_text(found_, {"status"}) != "finished") {
    run.metrics.clear();
    if (found_.is_object()) {
      metrics_.notes.push_back(path.string() + ": absent, so this run has no lines");
    }
    return true;
  }
  Result<std::vector<json>> lines = read_metrics_lines(path, metrics_.notes);
  if (!lines) {
    metrics_.fault = lines.error().message;
    return false;
  }
  run.metrics = std::move(*lines);
  return true;
}

bool RunFiles::read_lens(Run& run) {
  const FileStamp stamp = stamp_of(folder_ / "inspection.json");
  if (!lens_.changed({stamp, stamp_of(folder_ / "inspection.npz")})) return false;
  run.lens.reset();
  if (!stamp.there) return true;
  Result<LensResult> found = load_inspection(folder_);
  if (found) run.lens = std::move(*found);
  if (!found) lens_.notes.push_back("left out: " + found.error().message);
  return true;
}

json RunFiles::summary_now(const Run& run) const {
  json row = found_.is_object() ? found_ : findings_so_far(run);
  row["arm"] = config_.arm;
  row["seed"] = config_.seed;
  row["tokens_per_second"] = tokens_per_second_;
  return row;
}

std::string RunFiles::status_now() const {
  if (found_.is_object()) return find_text(found_, {"status"});
  std::error_code missing;
  return fs::exists(folder_, missing) ? "training" : "waiting";
}

/// Of a run that has not ended.
json RunFiles::findings_so_far(const Run& run) const {
  const std::uint64_t tokens =
      run.metrics.empty() ? 0 : find_count(run.metrics.back(), {"tokens"}).value_or(0);
  const study::RunEnd so_far = {false, "", tokens, parameters_};
  json row = are_measured(run.metrics)
                 ? study::make_findings(config_, so_far, run.metrics)
                 : study::make_findings(config_, so_far, measured_lines(run.metrics));
  row.erase("last");
  row["status"] = status_now();
  return row;
}

std::vector<std::string> RunFiles::faults() const {
  std::vector<std::string> all;
  for (const Watched* watched : {&findings_, &metrics_}) {
    if (!watched->fault.empty()) all.push_back(watched->fault);
  }
  return all;
}

std::vector<std::string> RunFiles::notes() const {
  std::vector<std::string> all;
  for (const Watched* watched : {&metrics_, &timing_, &lens_}) {
    all.insert(all.end(), watched->notes.begin(), watched->notes.end());
  }
  return all;
}

}  // namespace lookback::report
