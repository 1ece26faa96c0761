#include "lookback/study/opened_run.h"

#include <fmt/format.h>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/study/longer_run.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/possible_values.h"
#include "lookback/study/run_manifest.h"

namespace lookback::study {

using nlohmann::json;

Result<json> read_result(const std::filesystem::path& directory, const Manifest& manifest,
                         const std::string& name) {
  Result<json> object = read_listed_object(directory, manifest, name);
  if (!object) return object;
  const std::string fault = fault_of_values(*object);
  if (fault.empty()) return object;
  const std::filesystem::path file = directory / name;
  return Error{fmt::format("{}: {}; remove it, and {}", file.string(), fault, remedy_of(file))};
}

Result<OpenedRun> OpenedRun::open(const std::filesystem::path& directory) {
  Result<std::optional<Manifest>> manifest = read_manifest(directory);
  if (!manifest) return manifest.error();
  if (!*manifest) {
    const Result<bool> orphan = base::is_there(directory / "findings.json");
    if (!orphan) return orphan.error();
    if (!*orphan) return OpenedRun(directory, {});
    return Error{fmt::format(
        "{}: is missing; it was removed, or lookback 0.1 made this run; --resume rebuilds it",
        (directory / manifest_name).string())};
  }
  OpenedRun run(directory, std::move(**manifest));
  if (!run.has_ended()) return run;
  if (Status whole = run.check("config.toml"); !whole) return whole.error();
  if (Status ours = run.check_owner(); !ours) return ours.error();
  return run;
}

Status OpenedRun::check_owner() const {
  const Result<RunConfig> config = read_run_config(directory_);
  if (!config) return config.error();
  if (is_owner(manifest_, *config)) return {};
  return Error{
      fmt::format("{}: is not the manifest of the run in config.toml beside it, {} seed {}; "
                  "remove the directory, and --resume makes the run again",
                  (directory_ / manifest_name).string(), config->arm, config->seed)};
}

bool OpenedRun::has_ended() const { return lists("findings.json"); }

Result<bool> OpenedRun::has_ended_as(const RunConfig& config) const {
  if (!has_ended()) return false;
  const Result<std::string> found = read_config_text(directory_);
  if (!found) return found.error();
  const std::string asked = to_toml(config);
  if (*found == asked) return true;
  if (leads_to(*found, config)) return false;
  return Error{fmt::format(
      "{}: belongs to another run than {} seed {}{}; put back the right file, or remove the "
      "directory, and --resume makes the run again",
      (directory_ / "config.toml").string(), config.arm, config.seed,
      difference_text(*found, asked))};
}

Status OpenedRun::check(const std::string& name) const {
  return check_listed(directory_, manifest_, name);
}

Result<json> OpenedRun::read(const std::string& name) const {
  if (!lists(name)) return json(nullptr);
  return read_result(directory_, manifest_, name);
}

Result<std::vector<json>> OpenedRun::read_metrics(const RunConfig& config) const {
  if (Status whole = check("metrics.jsonl"); !whole) return whole.error();
  return study::read_metrics(directory_ / "metrics.jsonl", identity_of(config));
}

}  // namespace lookback::study
