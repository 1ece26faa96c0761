// lookback serve: the page of a study, live while its runs train.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>

#include "lookback/base/file.h"
#include "lookback/cli/commands.h"
#include "lookback/cli/console.h"
#include "lookback/cli/watch_study.h"
#include "lookback/report/page.h"
#include "lookback/report/page_template.h"
#include "lookback/serve/server.h"

namespace lookback::cli {
namespace {

struct ServeOptions {
  std::string directory;
  std::string host = serve::default_host;
  int port = serve::default_port;
};

/// The page that fetches its data, titled with the directory's name.
Result<std::string> live_page(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::path whole = std::filesystem::canonical(directory, error);
  const std::string title = fmt::format("{} - lookback", whole.filename().string());
  return report::fill_page(report::page_template(), title, {{"live", true}});
}

Result<serve::Options> options_for_server(const ServeOptions& given, const std::stop_token& stop) {
  const Result<std::filesystem::file_status> there = base::status_of(given.directory);
  if (!there) return there.error();
  if (!std::filesystem::is_directory(*there)) {
    return Error{
        fmt::format("{}: found no such directory, allowed: one that `lookback study --out` made",
                    given.directory),
        ErrorKind::not_found};
  }
  Result<std::string> page = live_page(given.directory);
  if (!page) return page.error();
  serve::Options options;
  options.host = given.host;
  options.port = static_cast<std::uint16_t>(given.port);
  options.directory = given.directory;
  options.page = std::move(*page);
  options.refresh = watch_study(given.directory, stop);
  options.tell = [stop](const Error& error) {
    if (!stop.stop_requested()) fail(error);
  };
  return options;
}

int serve_until_stopped(const ServeOptions& given) {
  StopSignal stop;
  Result<serve::Options> options = options_for_server(given, stop.token());
  if (!options) return fail(options.error());
  const auto server = serve::Server::start(std::move(*options));
  if (!server) return fail(server.error());
  if (!(*server)->is_loopback()) {
    tell(fmt::format("everyone who can reach {} can read the page and the files in {}\n",
                     given.host, given.directory));
  }
  fmt::print("{}\n", (*server)->url());
  std::fflush(stdout);  // whether that worked is looked at in the end
  while (!stop.token().stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  (*server)->stop();
  return success;
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<ServeOptions>();
  CLI::App* command =
      app.add_subcommand("serve", "show the page of a study in the browser, live while it trains");
  command
      ->add_option("directory", options->directory,
                   "directory of a study, or an empty one where a study will start")
      ->required();
  command
      ->add_option(
          "--port", options->port,
          fmt::format("port to listen on, 0 for any free one (default: {})", serve::default_port))
      ->check(CLI::Range(0, 65535));
  command->add_option(
      "--host", options->host,
      fmt::format("address to listen on; any address but a loopback one exposes the "
                  "directory to others (default: {})",
                  serve::default_host));
  command->footer(
      "Prints the page's address and runs until Ctrl-C.\n"
      "Example: lookback serve runs/article");
  command->callback([options, &exit_code] { exit_code = serve_until_stopped(*options); });
}

}  // namespace lookback::cli
