// What is wrong with a command line, in one line.
#pragma once

#include <string>

#include "lookback/base/result.h"
#include "lookback/cli/commands.h"

namespace lookback::cli {

/// The error that parsing the command line of `app` ended with: what was found, the option or command
/// that may have been meant, and the command whose --help says more. REQUIRES the parse just before.
Error usage_error(const CLI::App& app, const CLI::ParseError& error);

}  // namespace lookback::cli
