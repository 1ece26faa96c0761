#pragma once

namespace lookback::test {

/// Whether this is the build with the address sanitizer, in which a test takes five to ten times as
/// long: some take fewer steps, or fewer files of the same kind.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace lookback::test
