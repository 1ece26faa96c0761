// Files compressed by bzip2.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "lookback/base/result.h"

namespace lookback::language {

/// What a .bz2 file holds, all of its streams. Errors, which name the file: it cannot be read, is
/// not bzip2's, is torn, or it or what it holds has over `max_bytes`.
Result<std::string> read_bzip2_file(const std::filesystem::path& path, std::size_t max_bytes);

}  // namespace lookback::language
