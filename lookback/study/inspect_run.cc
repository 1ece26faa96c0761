#include "lookback/study/inspect_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/base/npz.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/findings.h"
#include "lookback/study/inspection_json.h"
#include "lookback/study/metrics_file.h"
#include "lookback/study/saved_model.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_findings = std::size_t{1} << 28;
constexpr std::size_t largest_inspection = std::size_t{1} << 30;

Result<nlohmann::json> transitions_before(const fs::path& checkpoint, std::uint64_t step) {
  const fs::path folder = fs::absolute(checkpoint).parent_path();
  const fs::path metrics = folder.parent_path() / "metrics.jsonl";
  std::error_code missing;
  if (folder.filename() != "checkpoints" || !fs::exists(metrics, missing)) {
    return nlohmann::json(nullptr);
  }
  const auto lines = read_metrics(metrics, step);
  if (!lines) return lines.error();
  return transitions_of(*lines);
}

/// Whether there is a file that is to be left: anything but an inspection by the rules of an earlier
/// program.
bool is_inspected(const fs::path& file) {
  std::error_code missing;
  if (!fs::exists(file, missing)) return false;
  const Result<nlohmann::json> there = base::read_json_object(file, largest_inspection);
  const std::string format = there ? base::find_text(*there, {"format"}) : "";
  return !format.starts_with("lookback inspection ") || format == inspection_format;
}

/// Both forms of one inspection, or a stop that was asked for.
struct Made {
  bool stopped = false;
  nlohmann::json object;
  std::vector<base::Array> arrays;
};

Result<Made> make_inspection(const RunConfig& config, const fs::path& directory,
                             base::Workers& workers, Listener& listener) {
  const Result<fs::path> file = find_checkpoint(directory);
  if (!file) return file.error();
  const Result<SavedModel> model = read_model(*file);
  if (!model) return model.error();
  InspectionOptions options;
  options.sequences = inspected_sequences(config.evaluate);
  options.stop = [&] { return listener.stop(); };
  const Result<Inspection> inspection = inspect_checkpoint(*file, *model, options, workers);
  if (!inspection) return inspection.error();
  Made made;
  made.stopped = inspection->stopped;
  if (made.stopped) return made;
  made.object = inspection_json(*model, *inspection);
  made.arrays = inspection_arrays(*inspection);
  return made;
}

}  // namespace

bool has_finished(const fs::path& directory) {
  const Result<nlohmann::json> findings =
      base::read_json_object(directory / "findings.json", largest_findings);
  if (!findings) return false;
  const auto status = findings->find("status");
  return status != findings->end() && *status == "finished";
}

std::size_t inspected_sequences(const EvaluateConfig& evaluate) {
  return std::max<std::size_t>(2, evaluate.sequences);
}

Result<Inspection> inspect_checkpoint(const fs::path& checkpoint, const SavedModel& model,
                                      const InspectionOptions& options, base::Workers& workers) {
  Result<Inspection> inspection = inspect(model, options, workers);
  if (!inspection) return inspection;
  Result<nlohmann::json> transitions = transitions_before(checkpoint, model.header.step);
  if (transitions) {
    inspection->transitions = std::move(*transitions);
  } else {
    inspection->skipped.push_back("transitions: " + transitions.error().message);
  }
  return inspection;
}

Result<Ending> inspect_run(const RunConfig& config, const fs::path& directory,
                           base::Workers& workers, Listener& listener) {
  const fs::path file = directory / "inspection.json";
  if (!config.evaluate.inspect || is_inspected(file) || !has_finished(directory)) {
    return Ending::finished;
  }
  const std::string name = fmt::format("{} seed {}", config.arm, config.seed);
  const Result<Made> made = make_inspection(config, directory, workers, listener);
  if (!made) {
    listener.message(fmt::format("{}: not inspected: {}", name, made.error().message));
    return Ending::finished;
  }
  if (made->stopped) return Ending::stopped;
  remove_partial_files(directory);  // of an inspection that was killed while it was written
  Status written = base::write_npz(directory / "inspection.npz", made->arrays);
  // Last: where it is, both are whole.
  if (written) written = base::write_file_atomically(file, made->object.dump(2) + '\n');
  if (!written) return written.error();
  listener.message(fmt::format("{}: inspected, mechanism {}", name,
                               made->object["mechanism"]["verdict"].get<std::string>()));
  return Ending::finished;
}

}  // namespace lookback::study
