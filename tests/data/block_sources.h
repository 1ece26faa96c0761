// Helpers for the tests of block sources.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "lookback/data/repeated_blocks.h"

namespace lookback::data {

inline constexpr std::uint64_t some_sequences = 500;

inline std::unique_ptr<BlockSource> made(const BlockTask& task) {
  auto source = make_block_source(task);
  EXPECT_TRUE(source) << source.error().message;
  return source ? std::move(*source) : nullptr;
}

inline std::unique_ptr<BlockSource> made(BlockKind kind) {
  BlockTask task;
  task.kind = kind;
  return made(task);
}

inline const std::vector<BlockKind> all_kinds{BlockKind::repeated_blocks, BlockKind::unseen_period,
                                              BlockKind::broken_period, BlockKind::random_repeat};

}  // namespace lookback::data
