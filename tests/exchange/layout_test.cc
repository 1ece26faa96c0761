// Layouts: which of our numbers stands where in another program's tensor.
#include "lookback/exchange/layout.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "tests/base/temporary_directory.h"
#include "tests/exchange/models.h"

namespace lookback::exchange {
namespace {

/// Parameter numbers 0, 1, 2, ...: a value shows where it came from.
struct Numbered {
  Numbered() : model(spec::make_model(spec::gpt2())) {
    std::iota(model.parameters.begin(), model.parameters.end(), 0.0F);
  }
  float at(const std::string& name, std::size_t row, std::size_t column) const {
    const model::ParameterInfo& info = *model.program.find_parameter(name);
    return model.parameters[info.offset + row * info.cols + column];
  }
  study::SavedModel model;
};

/// The one tensor of a layout.
std::vector<float> gathered(const Layout& layout, const study::SavedModel& model) {
  std::deque<std::vector<float>> storage;
  const std::vector<base::Tensor> tensors = gather(layout, model.parameters, storage);
  return {tensors.at(0).values.begin(), tensors.at(0).values.end()};
}

TEST(Layout, ColumnsByHeadTakesTheColumnsOfAHeadTogether) {
  const Numbered numbered;  // D 16, H 2, E 8
  LayoutBuilder builder(numbered.model.program);
  builder.columns_by_head("W", 2, {2, 16, 8}, "blocks.1.attn.W_K");
  const std::vector<float> theirs = gathered(builder.take(), numbered.model);
  for (std::size_t h = 0; h < 2; ++h) {
    for (std::size_t d = 0; d < 16; ++d) {
      for (std::size_t e = 0; e < 8; ++e) {
        EXPECT_EQ(theirs[(h * 16 + d) * 8 + e], numbered.at("blocks.1.attn.W_K", d, h * 8 + e));
      }
    }
  }
}

TEST(Layout, TransposedExchangesRowsAndColumns) {
  const Numbered numbered;
  LayoutBuilder builder(numbered.model.program);
  builder.transposed("W", {16, 19}, "embed.W_E");
  const std::vector<float> theirs = gathered(builder.take(), numbered.model);
  for (std::size_t v = 0; v < 19; ++v) {
    for (std::size_t d = 0; d < 16; ++d) {
      EXPECT_EQ(theirs[d * 19 + v], numbered.at("embed.W_E", v, d));
    }
  }
}

TEST(Layout, SideBySideJoinsRowsOfSeveralMatrices) {
  const Numbered numbered;
  LayoutBuilder builder(numbered.model.program);
  const std::array<std::string, 3> names{"blocks.0.attn.W_Q", "blocks.0.attn.W_K",
                                         "blocks.0.attn.W_V"};
  builder.side_by_side("W", {16, 48}, names);
  const std::vector<float> theirs = gathered(builder.take(), numbered.model);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t r = 0; r < 16; ++r) {
      for (std::size_t c = 0; c < 16; ++c) {
        EXPECT_EQ(theirs[r * 48 + i * 16 + c], numbered.at(names[i], r, c));
      }
    }
  }
}

TEST(Layout, WhatTheModelLacksIsZeros) {
  const Numbered numbered;
  LayoutBuilder builder(numbered.model.program);
  builder.same("b", {5}, "blocks.0.attn.none");
  EXPECT_EQ(gathered(builder.take(), numbered.model), std::vector<float>(5, 0.0F));
}

TEST(Layout, OurOwnOrderIsNotCopied) {
  const Numbered numbered;
  LayoutBuilder builder(numbered.model.program);
  builder.same("W", {2, 8, 16}, "blocks.0.attn.W_O");
  const Layout layout = builder.take();
  std::deque<std::vector<float>> storage;
  const std::vector<base::Tensor> tensors = gather(layout, numbered.model.parameters, storage);
  EXPECT_TRUE(storage.empty());
  EXPECT_EQ(tensors[0].values[0], numbered.at("blocks.0.attn.W_O", 0, 0));
}

}  // namespace
}  // namespace lookback::exchange
