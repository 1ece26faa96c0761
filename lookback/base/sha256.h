// SHA-256, by which publishers identify their files.
#pragma once

#include <string>
#include <string_view>

namespace lookback::base {

/// The SHA-256 (FIPS 180-4) of `bytes` as 64 lower-case hexadecimal digits; empty where OpenSSL refuses
/// to compute one.
std::string sha256_text(std::string_view bytes);

}  // namespace lookback::base
