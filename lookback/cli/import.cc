// lookback import: makes a checkpoint from a Hugging Face or TransformerLens model.
#include "lookback/exchange/import.h"

#include <fmt/format.h>

#include <memory>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/study/output_place.h"

namespace lookback::cli {
namespace {

struct ImportOptions {
  std::string directory, out;
};

int run(const ImportOptions& options) {
  if (Status free = study::check_model_file(options.out); !free) return fail(free.error());
  const Result<study::SavedModel> model = exchange::import_model(options.directory);
  if (!model) return fail(model.error());
  Status written =
      train::write_model(options.out, model->program, model->parameters, model->header);
  if (!written) return fail(written.error());
  fmt::print("{}\n", options.out);
  return success;
}

}  // namespace

void add_import(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand(
      "import", "make a checkpoint from another program's GPT-2 or attention-only model");
  command
      ->add_option(
          "directory", options->directory,
          "directory with config.json and model.safetensors from Hugging Face or TransformerLens")
      ->required();
  command->add_option("--out", options->out, "checkpoint to write")->required();
  command->footer("Example: lookback import gpt2 --out gpt2.safetensors");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
