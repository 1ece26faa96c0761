// lookback export: a checkpoint for TransformerLens, PyTorch or Hugging Face.
#include "lookback/exchange/export.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/find_tokenizer.h"

namespace lookback::cli {
namespace {

struct ExportOptions {
  std::string checkpoint, target, out, tokenizer;
};

int run(const ExportOptions& options) {
  const Result<exchange::Target> target = exchange::parse_target(options.target);
  if (!target) return fail(target.error().at("--to"));
  const bool takes_tokenizer = *target == exchange::Target::huggingface;
  if (!takes_tokenizer && !options.tokenizer.empty()) {
    return fail({"--tokenizer: only --to huggingface takes a tokenizer along"});
  }
  const Result<std::filesystem::path> file = study::find_checkpoint(options.checkpoint);
  if (!file) return fail(file.error());
  const Result<study::SavedModel> model = study::read_model(*file);
  if (!model) return fail(model.error());
  std::optional<language::Tokenizer> tokenizer;
  if (takes_tokenizer) {
    auto found = find_any_tokenizer(options.tokenizer, *file, *model);
    if (!found) return fail(found.error());
    tokenizer = std::move(*found);
  }
  Status written =
      exchange::write_export(*model, *target, options.out, tokenizer ? &*tokenizer : nullptr);
  if (!written) return fail(written.error());
  fmt::print("{}\n", options.out);
  return success;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ExportOptions>();
  CLI::App* command = app.add_subcommand("export", "write a model for another program");
  command
      ->add_option("checkpoint", options->checkpoint,
                   "a checkpoint, or a run's directory for its last checkpoint")
      ->required();
  command->add_option("--to", options->target, "transformer-lens, torch or huggingface")
      ->required();
  command->add_option("--out", options->out, "directory to write")->required();
  command->add_option("--tokenizer", options->tokenizer,
                      "tokenizer file or directory, for huggingface (default: the run's "
                      "tokenizer.json, if there is one)");
  command->footer(
      "Example: lookback export runs/one --to transformer-lens --out exports/two-layer");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace lookback::cli
