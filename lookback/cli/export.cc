// lookback export: a checkpoint for TransformerLens, PyTorch or Hugging Face.
#include "lookback/exchange/export.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"

namespace lookback::cli {
namespace {

struct ExportOptions {
  std::string checkpoint, target, out;
};

int run(const ExportOptions& options) {
  const Result<exchange::Target> target = exchange::parse_target(options.target);
  if (!target) return refuse({"--to: " + target.error().message});
  const Result<std::filesystem::path> file = study::find_checkpoint(options.checkpoint);
  if (!file) return fail(file.error());
  const Result<study::SavedModel> model = study::read_model(*file);
  if (!model) return fail(model.error());
  if (Status written = exchange::write_export(*model, *target, options.out); !written) {
    return fail(written.error());
  }
  fmt::print("{}\n", options.out);
  return success;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "write a model for another program");
  command
      ->add_option("checkpoint", options->checkpoint,
                   "a checkpoint, or a run's directory: its last one")
      ->required();
  command->add_option("--to", options->target, "transformer-lens, torch or huggingface")
      ->required();
  command->add_option("--out", options->out, "directory of the export")->required();
  command->footer(
      "Example: lookback export runs/one --to transformer-lens --out exports/two-layer");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
