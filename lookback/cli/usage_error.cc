#include "lookback/cli/usage_error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"

namespace lookback::cli {
namespace {

/// A command as it was typed, "lookback tokens train", with its part of the parser.
struct Command {
  std::string name;
  const CLI::App* app;
};

/// The last command that was found.
Command command_of(const CLI::App& app) {
  Command command{"lookback", &app};
  for (auto next = app.get_subcommands(); !next.empty(); next = command.app->get_subcommands()) {
    command = {command.name + " " + next.front()->get_name(), next.front()};
  }
  return command;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::string unknown_option(const CLI::App& app, std::string_view option) {
  option = option.substr(0, option.find('='));
  const std::optional<std::string> meant = base::nearest(option, options_of(app));
  return fmt::format("unknown option '{}'{}", base::printable(option),
                     meant ? fmt::format("; did you mean '{}'?", *meant) : ";");
}

/// A word in the place of a command, with the nearest command.
std::string unknown_command(std::string_view word, const std::vector<std::string>& names) {
  const std::optional<std::string> meant = base::nearest(word, names);
  return fmt::format("unknown command '{}'; {}", base::printable(word),
                     meant ? fmt::format("did you mean '{}'?", *meant)
                           : fmt::format("the commands are {};", fmt::join(names, ", ")));
}

/// What was not understood on the command line; nothing if all of it was.
std::optional<std::string> not_understood(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining();
  const auto option = std::ranges::find_if(
      words, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  if (option != words.end()) return unknown_option(app, *option);
  if (words.empty()) return std::nullopt;
  if (const auto names = commands_of(app); !names.empty()) {
    return unknown_command(words.front(), names);
  }
  return fmt::format("unexpected argument '{}';", base::printable(words.front()));
}

}  // namespace

Error usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const Command command = command_of(app);
  // A mistyped --out is not a missing --out.
  const bool may_be_mistyped = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
                               dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  std::optional<std::string> problem;
  if (may_be_mistyped) problem = not_understood(*command.app);
  if (may_be_mistyped && !problem && command.app != &app) {  // what stands before the command
    problem = not_understood(app);
    if (problem) return {fmt::format("{} see lookback --help", *problem)};
  }
  if (!problem) problem = base::printable(error.what(), 400) + ";";
  return {fmt::format("{} see {} --help", *problem, command.name)};
}

}  // namespace lookback::cli
