// What is wrong with a command line, in one line.
#pragma once

#include <string>

#include "lookback/base/result.h"
#include "lookback/cli/commands.h"

namespace lookback::cli {

/// The error that ended parsing the command line of `app`: what was found, the option or command
/// that may have been meant, and the command whose --help says more. REQUIRES that it was just
/// parsed.
Error usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace lookback::cli
