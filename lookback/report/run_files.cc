#include "lookback/report/run_files.h"

#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/report/json_access.h"
#include "lookback/report/load_inspection.h"
#include "lookback/study/findings.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/run_manifest.h"

namespace lookback::report {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* arrays_name = "inspection.safetensors";

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
  // Findings are read before metrics: a run that ends in between is seen to have ended the next
  // time.
  read_manifest();
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

bool RunFiles::read_manifest() {
  if (!manifest_file_.changed({stamp_of(folder_ / study::manifest_name)})) return false;
  Result<std::optional<study::Manifest>> manifest = study::read_manifest(folder_);
  if (!manifest) {
    manifest_file_.fault = manifest.error().message;
    return false;
  }
  manifest_ = std::move(*manifest);
  return true;
}

/// Whether the manifest lists a file and it is as listed; the fault reports a file that differs.
bool RunFiles::is_listed(const std::string& name, std::string& fault) const {
  if (!manifest_ || !manifest_->lists(name)) return false;
  const Status whole = study::check_listed(folder_, *manifest_, name);
  if (!whole) fault = whole.error().message;
  return static_cast<bool>(whole);
}

bool RunFiles::read_findings() {
  const fs::path path = folder_ / "findings.json";
  const std::vector<FileStamp> stamps = {stamp_of(path), stamp_of(folder_ / "config.toml"),
                                         manifest_file_.stamps.front()};
  if (!findings_.changed(stamps)) return false;
  const auto spoiled = [this](const Error& error) {
    findings_.fault = error.message;
    return false;
  };
  const Result<study::OpenedRun> opened = study::OpenedRun::open(folder_);
  if (!opened) return spoiled(opened.error());
  const Result<bool> ended = opened->has_ended_as(config_);
  if (!ended) return spoiled(ended.error());
  if (!*ended) {  // or ended as a shorter one, that goes on
    found_ = nullptr;
    return true;
  }
  const Result<json> findings = opened->read("findings.json");
  if (!findings) return spoiled(findings.error());
  const std::string status = find_text(*findings, {"status"});
  if (status != "finished" && status != "diverged") {
    return spoiled({path.string() + ": key 'status': expected \"finished\" or \"diverged\""});
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
  const Result<json> timing = base::read_json_object(path);
  if (!timing) {
    timing_.notes.push_back("skipped: " + timing.error().message);
    return true;
  }
  if (const auto rate = find_number(*timing, {"tokens_per_second"})) tokens_per_second_ = *rate;
  threads_ = find_count(*timing, {"threads"}).value_or(0);
  return true;
}

bool RunFiles::read_metrics(Run& run) {
  const fs::path path = folder_ / "metrics.jsonl";
  const FileStamp stamp = stamp_of(path);
  if (!metrics_.changed({stamp, findings_.stamps.front(), manifest_file_.stamps.front()})) {
    return false;
  }
  if (!stamp.there && find_text(found_, {"status"}) != "finished") {
    run.metrics.clear();
    if (found_.is_object()) {
      metrics_.notes.push_back(path.string() + ": is missing, so this run has no curves");
    }
    return true;
  }
  // For an ended run the manifest covers the whole file; while a run is training, each line has a
  // checksum.
  if (manifest_ && manifest_->lists("metrics.jsonl") &&
      !is_listed("metrics.jsonl", metrics_.fault)) {
    return false;
  }
  Result<study::MetricsLines> found = study::read_whole_metrics(path, study::identity_of(config_));
  if (!found) {
    metrics_.fault = found.error().message;
    return false;
  }
  metrics_.fault = found->fault;
  if (!found->fault.empty()) return false;
  if (found->torn) {
    metrics_.notes.push_back(path.string() + ": the last line is incomplete and was skipped");
  }
  run.metrics = std::move(found->lines);
  return true;
}

bool RunFiles::read_lens(Run& run) {
  const FileStamp stamp = stamp_of(folder_ / "inspection.json");
  if (!lens_.changed({stamp, stamp_of(folder_ / arrays_name), manifest_file_.stamps.front()})) {
    return false;
  }
  run.lens.reset();
  std::string fault;
  const bool whole = is_listed("inspection.json", fault) &&
                     (!manifest_->lists(arrays_name) || is_listed(arrays_name, fault));
  if (!fault.empty()) lens_.notes.push_back("skipped: " + fault);
  if (!whole) return true;
  Result<LensResult> found = load_inspection(folder_);
  if (found) run.lens = std::move(*found);
  if (!found) lens_.notes.push_back("skipped: " + found.error().message);
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
  const Result<bool> begun = base::is_there(folder_);
  return begun && !*begun ? "waiting" : "training";
}

/// Of a run that has not ended.
json RunFiles::findings_so_far(const Run& run) const {
  const std::uint64_t tokens =
      run.metrics.empty() ? 0 : find_count(run.metrics.back(), {"tokens"}).value_or(0);
  const study::RunEnd so_far = {false, "", tokens, parameters_};
  json row = study::make_findings(config_, so_far, run.metrics);
  row.erase("last");
  row["status"] = status_now();
  return row;
}

std::vector<std::string> RunFiles::faults() const {
  std::vector<std::string> all;
  for (const Watched* watched : {&manifest_file_, &findings_, &metrics_}) {
    if (!watched->fault.empty()) all.push_back(watched->fault);
  }
  return all;
}

std::vector<std::string> RunFiles::notes() const {
  std::vector<std::string> all = metrics_.notes;
  const std::vector<std::string> skipped = unread();
  all.insert(all.end(), skipped.begin(), skipped.end());
  return all;
}

std::vector<std::string> RunFiles::unread() const {
  std::vector<std::string> all = timing_.notes;
  all.insert(all.end(), lens_.notes.begin(), lens_.notes.end());
  return all;
}

}  // namespace lookback::report
