#include "lookback/study/inspect_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspection_json.h"
#include "lookback/study/manifest.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/opened_run.h"
#include "lookback/study/run_manifest.h"
#include "lookback/study/saved_model.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

const std::string inspection_name = inspection_files[0], arrays_name = inspection_files[1];

/// Refuses a run made by lookback 0.2: its metrics are bound to a configuration as 0.2 wrote it,
/// and would seem to belong to another run.
Status check_is_of_this_version(const fs::path& run) {
  const Result<RunConfig> config = read_run_config(run);
  return config || config.fails_with(ErrorKind::not_found) ? Status() : config.error();
}

Result<nlohmann::json> transitions_before(const fs::path& checkpoint, const RunConfig& config,
                                          std::uint64_t step) {
  const fs::path folder = fs::absolute(checkpoint).parent_path();
  if (folder.filename() != "checkpoints") return nlohmann::json(nullptr);
  const fs::path metrics = folder.parent_path() / "metrics.jsonl";
  const Result<bool> there = base::is_there(metrics);
  if (!there) return there.error();
  if (!*there) return nlohmann::json(nullptr);
  if (Status ours = check_is_of_this_version(folder.parent_path()); !ours) return ours.error();
  const auto lines = read_metrics(metrics, identity_of(config), step);
  if (!lines) return lines.error();
  return transitions_of(*lines);
}

/// Whether the manifest lists an inspection to keep: any except one made by the rules of an earlier
/// version. Errors: an inspection that was changed, or cannot be read.
Result<bool> is_inspected(const fs::path& directory) {
  const Result<OpenedRun> run = OpenedRun::open(directory);
  if (!run) return run.error();
  const Result<nlohmann::json> there = run->read(inspection_name);
  if (!there) return there.error();
  if (there->is_null()) return false;
  const std::string format = base::find_text(*there, {"format"});
  if (!format.starts_with("lookback inspection ")) return true;
  return format == inspection_format && run->lists(arrays_name);
}

struct Made {
  SavedModel model;
  Inspection inspection;
};

Result<Made> make_inspection(const RunConfig& config, const fs::path& directory,
                             model::Engine& engine, Listener& listener) {
  const Result<fs::path> file = find_checkpoint(directory);
  if (!file) return file.error();
  Result<SavedModel> model = read_model(*file);
  if (!model) return model.error();
  InspectionOptions options;
  options.sequences = inspected_sequences(config.evaluate);
  options.stop = listener.stop_token();
  Result<Inspection> inspection = inspect_checkpoint(*file, *model, options, engine);
  if (!inspection) return inspection.error();
  return Made{std::move(*model), std::move(*inspection)};
}

/// Writes both files in place of what an earlier inspection left, and lists them. Killed in between, the
/// run has no inspection.
Status write_inspection(const fs::path& directory, const Made& made, const nlohmann::json& object,
                        const std::string& engine) {
  const std::vector<std::string> replaced(std::begin(inspection_files), std::end(inspection_files));
  if (Status unlisted = unlist_files(directory, replaced); !unlisted) return unlisted;
  if (Status removed = base::remove_file(directory / inspection_files[2]); !removed) return removed;
  Status written = write_inspection_arrays(directory / arrays_name, made.model, made.inspection);
  if (!written) return written;
  written = base::write_json_text(directory / inspection_name, object.dump(2) + '\n');
  const std::string names[] = {inspection_name, arrays_name};
  return written ? list_files(directory, names, {engine}) : written;
}

}  // namespace

std::size_t inspected_sequences(const EvaluateConfig& evaluate) {
  return std::max<std::size_t>(2, evaluate.sequences);
}

Result<Inspection> inspect_checkpoint(const fs::path& checkpoint, const SavedModel& model,
                                      const InspectionOptions& options, model::Engine& engine) {
  Result<Inspection> inspection = inspect(model, options, engine);
  if (!inspection) return inspection;
  Result<nlohmann::json> transitions =
      transitions_before(checkpoint, model.config, model.header.step);
  if (!transitions) return transitions.error();
  inspection->transitions = std::move(*transitions);
  return inspection;
}

Result<bool> lacks_inspection(const RunConfig& config, const fs::path& run) {
  if (!config.evaluate.inspect) return false;
  Result<bool> finished = has_finished(run);
  if (!finished || !*finished) return finished;
  Result<bool> inspected = is_inspected(run);
  return inspected ? Result<bool>(!*inspected) : inspected;
}

Status inspect_run(const RunConfig& config, const DirectoryLock& lock, model::Engine& engine,
                   Listener& listener) {
  const fs::path& directory = lock.directory();
  const Result<bool> lacks = lacks_inspection(config, directory);
  if (!lacks) return lacks.error();
  if (!*lacks) return {};
  const std::string name = fmt::format("{} seed {}", config.arm, config.seed);
  const Result<Made> made = make_inspection(config, directory, engine, listener);
  if (!made) return made.error().at(fmt::format("{}: not inspected", name));
  if (Status held = lock.check(); !held) return held;
  const nlohmann::json object = inspection_json(made->model, made->inspection);
  Status written = write_inspection(directory, *made, object, engine.signature());
  if (!written) return written;
  listener.message(fmt::format("{}: inspected, mechanism {}", name,
                               object["mechanism"]["verdict"].get<std::string>()));
  return {};
}

}  // namespace lookback::study
