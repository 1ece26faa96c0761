// Names of arms, which become names of directories.
#pragma once

#include <string_view>

namespace lookback::study {

/// What a study file may call an arm. One name is taken: that of the directory beside the arms.
bool is_arm_name(std::string_view name);
inline constexpr std::string_view arm_names = "letters, digits, - and _, but not \"figures\"";

/// What a run may have as its arm: such a name, at a point of a sweep followed by the point,
/// "two-layer,context=32,learning_rate=0.001"; of a study without arms the point alone (sweep.h).
bool is_arm_of_run(std::string_view name);
inline constexpr std::string_view arms_of_runs =
    "letters, digits, - and _, but not \"figures\"; after that ,KEY=NUMBER for a point of a sweep";

}  // namespace lookback::study
