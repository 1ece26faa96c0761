// Which checkpoints of a study a page shows, chosen before they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lookback::report {

/// The most bytes that attention maps and circuits of all checkpoints may take on a page.
struct CheckpointLimits {
  std::size_t maps = 6'000'000;
  std::size_t circuits = 3'000'000;
};

/// The bytes that one checkpoint takes, or is expected to take.
struct CheckpointBytes {
  std::size_t maps = 0;
  std::size_t circuits = 0;
};

/// A run with this many checkpoints.
struct CheckpointList {
  std::size_t arm = 0;
  std::uint64_t seed = 0;
  std::size_t count = 0;
};

/// The numbers (from 0, ascending) of each run's checkpoints that are shown, where a checkpoint of
/// arm a takes `of_arm[a]`. REQUIRES arms below of_arm.size().
///
/// All, if they fit. Otherwise every nth of each run, counted from its first, and its last; n grows
/// while 24 remain of the longest run; then the largest seeds are dropped, and then n grows
/// further. If the first and last of one seed are too much, arms show only their last, and arms
/// that do not fit after the ones before them show none. None are chosen for an arm that takes
/// nothing, or for which even one is too much.
std::vector<std::vector<std::size_t>> choose_checkpoints(std::span<const CheckpointList> runs,
                                                         std::span<const CheckpointBytes> of_arm,
                                                         const CheckpointLimits& limits);

}  // namespace lookback::report
