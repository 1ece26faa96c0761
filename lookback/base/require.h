// Preconditions that execute: what the comment of a function REQUIRES is checked where it begins.
#pragma once

namespace lookback::base {

/// Prints "FILE:LINE: requires CONDITION" on stderr and aborts.
[[noreturn]] void abort_on_breach(const char* condition, const char* file, int line);

}  // namespace lookback::base

/// A breach is a mistake of the caller in this library; input from outside is checked before and gets its
/// Error. On in every build, since a check costs nothing beside what it stands before: the work of a
/// whole sequence, table or file.
#define LOOKBACK_REQUIRE(...) \
  ((__VA_ARGS__) ? void() : ::lookback::base::abort_on_breach(#__VA_ARGS__, __FILE__, __LINE__))

/// The same without NDEBUG alone: for what is called for every number or short row.
#ifdef NDEBUG
#define LOOKBACK_REQUIRE_DEBUG(...) static_cast<void>(sizeof(__VA_ARGS__))
#else
#define LOOKBACK_REQUIRE_DEBUG(...) LOOKBACK_REQUIRE(__VA_ARGS__)
#endif
