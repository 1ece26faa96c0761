// The losses of short runs, and how far rounding may move them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace lookback::program::spec {

/// Loss by step, by arm.
using Losses = std::map<std::string, std::map<std::uint64_t, double>>;

/// Runs the six wirings (studies.h) in `out` on an instruction set ("": the best) and gives the
/// training losses of their evaluated steps.
Losses train_six_wirings(const std::filesystem::path& out, const std::string& instruction_set);

/// The largest |a - b| over `allowed_difference`; arms or steps that are not in both are failures.
double worst_share(const Losses& a, const Losses& b);

/// What two float32 computations of the loss of step n may differ by.
double allowed_difference(std::uint64_t step, double loss);

}  // namespace lookback::program::spec
