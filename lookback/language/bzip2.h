// bzip2's compression.
#pragma once

#include <cstddef>
#include <string>

#include "lookback/base/result.h"

namespace lookback::language {

/// What the bytes of a .bz2 file hold, all of its streams. Errors: it is not bzip2's, is torn, or holds
/// over `max_bytes`.
Result<std::string> decompress_bzip2(std::string bytes, std::size_t max_bytes);

}  // namespace lookback::language
