// Checksums that detect a truncated or damaged file. Not a defense against forgery.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "lookback/base/file.h"
#include "lookback/base/result.h"

namespace lookback::base {

/// XXH3 with 64 bits and seed 0 (https://xxhash.com) of the concatenation of `parts`.
std::uint64_t checksum(std::span<const Bytes> parts);

/// The same as 16 lower-case hexadecimal digits, the highest first.
std::string checksum_text(std::span<const Bytes> parts);
std::string checksum_text(std::initializer_list<Bytes> parts);

/// The size and checksum that identify a file's contents.
struct FileSum {
  std::uint64_t bytes = 0;
  std::string checksum;

  bool operator==(const FileSum&) const = default;
};

FileSum sum_of(std::string_view text);

/// The same of a regular file of any size, read in pieces. Errors: it cannot be opened or read.
Result<FileSum> sum_of_file(const std::filesystem::path& path);

}  // namespace lookback::base
