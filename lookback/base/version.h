// Which lookback this is.
#pragma once

#include <string_view>

namespace lookback::base {

/// "0.3.0", with the commit if built from a git checkout: "0.3.0 (1a2b3c4d5e6f)".
std::string_view version();

}  // namespace lookback::base
