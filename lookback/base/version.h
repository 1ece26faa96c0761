// Which lookback this is.
#pragma once

#include <string_view>

namespace lookback::base {

/// "0.3.0", and of a build from a git checkout its commit: "0.3.0 (1a2b3c4d5e6f)".
std::string_view version();

}  // namespace lookback::base
