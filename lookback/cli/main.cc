// lookback: a laboratory for attention circuits.
#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "lookback/base/version.h"
#include "lookback/cli/check_memory.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/usage_error.h"
#include "lookback/math/targets.h"

namespace lookback::cli {
namespace {

int run(int argc, char** argv) {
  CLI::App app{"lookback: train small transformers, watch induction heads form, measure them."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(base::version()));
  app.footer(
      "Example: lookback study studies/article.toml --out runs/article\n"
      "LOOKBACK_ISA in the environment names the instruction set to use.\n"
      "Exit codes: 0 done, 1 failed, 2 bad input, 3 stopped, 4 busy (another process is at work "
      "there).");
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
    return exit_code_of(ErrorKind::bad_input);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return fail(usage_error(app, error));
  }
  return exit_code;
}

/// Opens those of stdin, stdout and stderr that are closed; otherwise the first file to be opened
/// would take their place, and messages would go into it. stdin and stdout are opened the wrong way
/// round, so using them is an error.
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
  } catch (const std::bad_alloc& error) {
    return lookback::cli::fail(lookback::cli::out_of_memory(error));
  } catch (const std::exception& error) {  // printing to stdout; nothing else is known to throw
    const bool of_stdout = std::ferror(stdout) != 0;
    std::fprintf(stderr, "lookback: %s%s\n", of_stdout ? "stdout: " : "", error.what());
    return lookback::cli::failure;
  }
}
