// Reading JSON and writing numbers, as the whole report does.
#pragma once

#include <string>

#include "lookback/base/json_access.h"

namespace lookback::report {

using base::find_count;
using base::find_number;
using base::find_text;
using base::find_value;

/// `value` rounded to `digits` significant digits, so that it prints short; finite if
/// `value` is.
double round_significant(double value, int digits);

/// `value` with this many digits after the point, without a negative zero.
std::string fixed_decimals(double value, int digits);

}  // namespace lookback::report
