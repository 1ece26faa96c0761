// lookback inspect: everything the lens finds in one model, as a table, as JSON, as arrays.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/inspection_table.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/inspect_run.h"
#include "lookback/study/inspection.h"
#include "lookback/study/inspection_json.h"

namespace lookback::cli {
namespace {

struct InspectOptions {
  std::string path, arrays;
  std::vector<std::string> probes;
  std::optional<std::size_t> sequences;
  std::optional<std::size_t> threads;
  bool json = false;
};

Result<study::InspectionOptions> inspection_options(const InspectOptions& options) {
  study::InspectionOptions result;
  for (const std::string& name : options.probes) {
    const auto task = data::find_task(name);
    if (!task) return task.error().at("--probe");
    if (std::ranges::find(result.probes, name) != result.probes.end()) {
      return Error{fmt::format("--probe: found {} twice, allowed: each once", name)};
    }
    result.probes.push_back(name);
  }
  return result;
}

int show(const InspectOptions& options, study::InspectionOptions what) {
  const Result<study::FoundModel> found = study::find_model(options.path);
  if (!found) return fail(found.error());
  for (const std::string& line : found->passed_over) tell("passed over: " + line + '\n');
  const study::SavedModel& model = found->model;
  what.sequences = options.sequences.value_or(study::inspected_sequences(model.config.evaluate));
  if (!options.arrays.empty()) {
    if (Status free = study::check_arrays_file(options.arrays); !free) return fail(free.error());
  }
  model::CpuEngine engine(threads_of(options.threads));
  const Result<study::Inspection> inspection =
      study::inspect_checkpoint(found->file, model, what, engine);
  if (!inspection) return fail(inspection.error());
  if (!options.arrays.empty()) {
    Status written = study::write_inspection_arrays(options.arrays, model, *inspection);
    if (!written) return fail(written.error());
  }
  if (options.json) {
    fmt::print("{}\n", study::inspection_json(model, *inspection).dump(2));
  } else {
    fmt::print("{}", inspection_table(model, *inspection));
  }
  return success;
}

int run(const InspectOptions& options) {
  const Result<study::InspectionOptions> what = inspection_options(options);
  return what ? show(options, *what) : fail(what.error());
}

}  // namespace

void add_inspect(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect", "print every measure, intervention and circuit of a trained model");
  command
      ->add_option("checkpoint", options->path,
                   "a checkpoint, or a run's directory for its last checkpoint")
      ->required();
  command
      ->add_option("--probe", options->probes,
                   "probe to measure scores on; separate several with commas; interventions use "
                   "the first (default: the run's)")
      ->delimiter(',')
      ->allow_extra_args(false);  // or it would take the checkpoint for a probe
  command
      ->add_option("--sequences", options->sequences,
                   "sequences of each probe (default: as in the inspection at the end of the run)")
      ->check(CLI::Range(2, 1'000'000));
  command->add_flag("--json", options->json, "print everything as one JSON object");
  command->add_option(
      "--arrays", options->arrays,
      "safetensors file to write patterns, losses, circuits and eigenvalues to (default: none)");
  command
      ->add_option_function<std::string>(
          "--npz",
          [](const std::string&) {
            throw CLI::ValidationError("--npz is now --arrays FILE, which writes safetensors");
          })
      ->group("");  // not in --help
  command->add_option("--threads", options->threads, "worker threads (default: every processor)")
      ->check(CLI::Range(1, most_threads));
  command->footer(
      "Example: lookback inspect runs/article/two-layer/seed-0 --arrays two-layer.safetensors");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
