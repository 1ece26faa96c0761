// lookback: a laboratory for attention circuits.
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/math/targets.h"

namespace lookback::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"lookback: train small transformers, watch induction heads form, decide claims."};
  app.require_subcommand(1);
  app.set_version_flag("--version", LOOKBACK_VERSION);
  app.footer("Example: lookback study studies/article.toml --out runs/article\n"
             "LOOKBACK_ISA in the environment names the instruction set to use.");
  int exit_code = success;
  add_study(app, exit_code);
  add_train(app, exit_code);
  add_report(app, exit_code);
  add_bench(app, exit_code);
  if (Status status = math::select_instruction_set_from_environment(); !status) {
    return fail(status.error());
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : wrong_usage;
  }
  return exit_code;
}

}  // namespace
}  // namespace lookback::cli

int main(int argc, char** argv) {
  try {
    return lookback::cli::run(argc, argv);
  } catch (const std::exception& error) {  // memory ran out, most likely: nothing else throws
    std::fprintf(stderr, "lookback: %s\n", error.what());
    return lookback::cli::failure;
  }
}
