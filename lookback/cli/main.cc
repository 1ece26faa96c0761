// lookback: a laboratory for attention circuits.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string_view>
#include <vector>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"
#include "lookback/base/version.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/math/targets.h"

namespace lookback::cli {
namespace {

std::string usage_error(const CLI::App* /*app*/, const CLI::Error& error) {
  return fmt::format("lookback: {}; see lookback --help\n", base::printable(error.what(), 400));
}

/// A first word that is no command, with the nearest one.
Status check_command(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (word.starts_with('-') || std::ranges::find(names, word) != names.end()) return {};
  std::string message = fmt::format("found the command '{}', allowed: {}", base::printable(word),
                                    fmt::join(names, ", "));
  if (const auto meant = base::nearest(word, names)) message += "; nearest: " + *meant;
  return Error{std::move(message)};
}

int run(int argc, char** argv) {
  CLI::App app{"lookback: train small transformers, watch induction heads form, measure them."};
  app.require_subcommand(1);
  app.failure_message(usage_error);
  app.set_version_flag("--version", std::string(base::version()));
  app.footer(
      "Example: lookback study studies/article.toml --out runs/article\n"
      "LOOKBACK_ISA in the environment names the instruction set to use.");
  int exit_code = success;
  add_study(app, exit_code);
  add_train(app, exit_code);
  add_inspect(app, exit_code);
  add_ledger(app, exit_code);
  add_report(app, exit_code);
  add_serve(app, exit_code);
  add_bench(app, exit_code);
  add_construct(app, exit_code);
  add_eval(app, exit_code);
  add_generate(app, exit_code);
  add_export(app, exit_code);
  add_import(app, exit_code);
  add_tokens(app, exit_code);
  add_verify(app, exit_code);
  if (Status status = math::select_instruction_set_from_environment(); !status) {
    return fail(status.error());
  }
  if (argc < 2) {
    tell(app.help());
    return wrong_usage;
  }
  if (Status known = check_command(app, argv[1]); !known) return refuse(known.error());
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? success : wrong_usage;
  }
  return exit_code;
}

/// Opens what is closed of stdin, stdout and stderr, or the first file to be opened would take its
/// place, and messages would go into it. stdin and stdout the wrong way round: who needs them gets an
/// error.
void open_standard_streams() {
  constexpr std::array<int, 3> ways = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
      static_cast<void>(::open("/dev/null", ways[static_cast<std::size_t>(fd)]));
    }
  }
}

}  // namespace
}  // namespace lookback::cli

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file above the limit is an error of write(), not the end
  std::signal(SIGPIPE, SIG_IGN);  // so is a pipe without a reader
  lookback::cli::open_standard_streams();
  try {
    const int exit_code = lookback::cli::run(argc, argv);
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
    std::fputs("lookback: stdout: cannot write\n", stderr);
    return lookback::cli::failure;
  } catch (const std::bad_alloc&) {
    std::fputs("lookback: not enough memory\n", stderr);
    return lookback::cli::failure;
  } catch (const std::exception& error) {  // printing to stdout; nothing else is known to throw
    const bool of_stdout = std::ferror(stdout) != 0;
    std::fprintf(stderr, "lookback: %s%s\n", of_stdout ? "stdout: " : "", error.what());
    return lookback::cli::failure;
  }
}
