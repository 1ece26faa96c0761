// Checksums that tell a torn or damaged file from a whole one. Not a defense against forgery.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "lookback/base/file.h"

namespace lookback::base {

/// XXH3 with 64 bits and seed 0 (https://xxhash.com) of the concatenation of `parts`.
std::uint64_t checksum(std::span<const Bytes> parts);

/// The same as 16 lower-case hexadecimal digits, the highest first.
std::string checksum_text(std::span<const Bytes> parts);
std::string checksum_text(std::initializer_list<Bytes> parts);

}  // namespace lookback::base
