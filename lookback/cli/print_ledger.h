// A ledger for a person: a line per claim, with its verdict and result, and why.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace lookback::cli {

/// The text of a ledger as study/ledger.h makes it; empty for one without claims.
std::string ledger_text(const nlohmann::json& ledger);

}  // namespace lookback::cli
