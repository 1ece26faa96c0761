// Which checkpoints of a study a page shows: chosen before they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookback::report {

/// The most bytes that the attention maps and the circuits of all checkpoints take on a page.
struct CheckpointLimits {
  std::size_t maps = 6'000'000;
  std::size_t circuits = 3'000'000;
};

/// What one checkpoint takes, or is expected to take.
struct CheckpointBytes {
  std::size_t maps = 0;
  std::size_t circuits = 0;
};

/// A run with so many checkpoints.
struct CheckpointList {
  std::size_t arm = 0;
  std::uint64_t seed = 0;
  std::size_t count = 0;
};

/// The numbers (from 0, ascending) of each run's checkpoints that are shown, where a checkpoint of
/// arm a takes `of_arm[a]`. REQUIRES arms below of_arm.size().
///
/// All, where they fit. Else every n-th of each run, counted from its first, and its last; n grows
/// while 24 remain of the longest run; then the largest seeds go, and then n grows further. Where the
/// first and last of one seed are too much, arms show their last, and those that do not fit beside
/// the arms before them show none. None are chosen of an arm that takes nothing, or of which one
/// alone is too much.
std::vector<std::vector<std::size_t>> choose_checkpoints(std::span<const CheckpointList> runs,
                                                         std::span<const CheckpointBytes> of_arm,
                                                         const CheckpointLimits& limits);

}  // namespace lookback::report
