// bzip2's compression.
#pragma once

#include <cstddef>
#include <string>

#include "lookback/base/result.h"

namespace lookback::language {

/// The contents of a .bz2 file, all its streams. Errors: it is not a bzip2 file, is truncated, or
/// contains over `max_bytes`.
Result<std::string> decompress_bzip2(std::string bytes, std::size_t max_bytes);

}  // namespace lookback::language
