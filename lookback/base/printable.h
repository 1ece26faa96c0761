// Untrusted text made safe for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lookback::base {

/// The text on one line: control characters become spaces, and beyond `longest` bytes "..." stands
/// for the rest.
std::string printable(std::string_view text, std::size_t longest = 80);

}  // namespace lookback::base
