// One value of a TOML document: how it is read, and how a message shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lookback/base/toml_document.h"

namespace lookback::base {

/// A value as a message shows it: short, on one line.
std::string shown(const TomlValue& value);

// The allowed values, in a message's words.

/// "WHAT from MIN to MAX"
std::string between(std::string_view what, std::int64_t min, std::int64_t max);
std::string between(std::string_view what, std::uint64_t min, std::uint64_t max);
std::string between(std::string_view what, double min, double max);
std::string one_of(std::span<const std::string> names);
std::string text_allowed(std::size_t max_length);

// Readers of one value: the value, or nothing if it is not allowed.

std::optional<std::int64_t> as_integer(const TomlValue& value, std::int64_t min, std::int64_t max);
/// Finite; an integer will do.
std::optional<double> as_number(const TomlValue& value, double min, double max);
/// An integer, or a string for parse_count.
std::optional<std::uint64_t> as_count(const TomlValue& value, std::uint64_t min, std::uint64_t max);
/// At most `max_length` bytes, without control characters except tab and newline.
std::optional<std::string> as_text(const TomlValue& value, std::size_t max_length);
/// One of the allowed names.
std::optional<std::string> as_choice(const TomlValue& value, std::span<const std::string> allowed);

}  // namespace lookback::base
