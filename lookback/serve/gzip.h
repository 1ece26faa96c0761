// Texts made smaller for the way to the browser.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lookback::serve {

/// The bytes in the gzip format (RFC 1952), quickly rather than as small as can be: the processors
/// are training. Nothing when it saves less than a tenth, or memory runs out.
std::optional<std::string> gzip(std::string_view bytes);

}  // namespace lookback::serve
