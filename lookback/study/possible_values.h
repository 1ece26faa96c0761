// The possible values of the numbers in a run's files.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace lookback::study {

/// The first impossible number in metrics, findings, an inspection or an evaluation (a score above
/// 1, a loss below 0), by its key: "second_half_loss is -1, which is impossible". Empty if there is
/// none. For an estimate its mean counts; intervals may extend beyond what is possible.
std::string fault_of_values(const nlohmann::json& value);

}  // namespace lookback::study
