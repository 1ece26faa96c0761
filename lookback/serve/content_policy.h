// What the browser may do with the page.
#pragma once

#include <string>
#include <string_view>

namespace lookback::serve {

/// The Content-Security-Policy of a page: its own inline scripts, each by its SHA-256, its inline
/// styles (charts set styles as they draw), pictures out of its own data, connections to its own
/// server; nothing else is loaded, and no other page frames it. Charts compile their expressions,
/// hence 'unsafe-eval'.
std::string content_policy(std::string_view page);

}  // namespace lookback::serve
