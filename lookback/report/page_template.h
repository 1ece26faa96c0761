// The page that web/ builds, embedded in this program.
#pragma once

#include <string_view>

namespace lookback::report {

/// The bytes of the built page with its placeholders; a build without the page has a stand-in
/// that fill_page refuses.
std::string_view page_template();

}  // namespace lookback::report
