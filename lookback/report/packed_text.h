// Bytes as short text that the page unpacks.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lookback/base/result.h"

namespace lookback::report {

/// The bytes zlib-deflated (RFC 1950) and written in base64 (RFC 4648). Fails when memory runs out.
Result<std::string> pack_text(std::span<const std::uint8_t> bytes);

}  // namespace lookback::report
