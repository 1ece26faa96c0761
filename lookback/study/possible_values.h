// What the numbers in a run's files can be.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace lookback::study {

/// The first number in metrics, findings, an inspection or an evaluation that cannot be (a score above 1,
/// a loss below 0), by its key: "second_half_loss is -1, which it cannot be". Empty where there is none.
/// Of an estimate its mean counts; intervals may reach beyond what is possible.
std::string fault_of_values(const nlohmann::json& value);

}  // namespace lookback::study
