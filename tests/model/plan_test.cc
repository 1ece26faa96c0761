#include "lookback/model/plan.h"

#include <gtest/gtest.h>

#include "tests/base/like.h"
#include "tests/lens/models.h"

namespace lookback::model {
namespace {

using lens::make_model;
using lens::small_architecture;
using lens::SmallModel;

using EditKind = Edit::Kind;

std::string refusal(const Edit& edit) {
  const SmallModel model = make_model(small_architecture());
  const Status status = check(model.program, 4, edit);
  return status ? "accepted" : status.error().message;
}

/// An edit of a name and head with a value of this shape.
Edit edit_of(const char* name, std::optional<std::size_t> head, std::size_t rows,
             std::size_t cols) {
  static const std::vector<float> zeros(1024);
  Edit edit;
  edit.activation = name;
  edit.head = head;
  edit.value = {zeros.data(), rows, cols, cols};
  return edit;
}

TEST(Edit, OfEveryKindOfActivationHasItsWidth) {  // T 4, D 16, E 8
  EXPECT_EQ(refusal(edit_of("blocks.0.hook_resid_pre", std::nullopt, 4, 16)), "accepted");
  EXPECT_EQ(refusal(edit_of("blocks.0.ln1.hook_scale", std::nullopt, 1, 1)), "accepted");
  EXPECT_EQ(refusal(edit_of("blocks.1.hook_q_input", 1, 4, 16)), "accepted");
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_k", 1, 4, 8)), "accepted");
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_pattern", std::nullopt, 4, 4)), "accepted");
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_result", 0, 1, 16)), "accepted");
}

TEST(Edit, RefusesWhatTheModelDoesNotHave) {
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_kk", 0, 4, 8)),
            "no activation is named 'blocks.1.attn.hook_kk'; the nearest is "
            "'blocks.1.attn.hook_k'");
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_k", 2, 4, 8)),
            "blocks.1.attn.hook_k: found head 2, allowed 0 to 1");
  EXPECT_TRUE(test::like(refusal(edit_of("hook_embed", 0, 4, 16)), "hook_embed: found head 0*"));
}

TEST(Edit, RefusesAValueOfAnotherShape) {
  EXPECT_EQ(refusal(edit_of("blocks.1.attn.hook_k", 1, 4, 16)),
            "blocks.1.attn.hook_k: found a value of 4 x 16, allowed 4 x 8 or 1 x 8");
  EXPECT_EQ(refusal(edit_of("hook_embed", std::nullopt, 3, 16)),
            "hook_embed: found a value of 3 x 16, allowed 4 x 16 or 1 x 16");
}

TEST(Edit, RefusesPositionsBeyondTheSequence) {
  Edit edit = edit_of("hook_embed", std::nullopt, 4, 16);
  edit.first_row = 2;
  edit.end_row = 5;
  EXPECT_EQ(refusal(edit), "hook_embed: found positions 2 to 5, allowed a range below 4");
  edit.end_row = 2;
  EXPECT_NE(refusal(edit), "accepted");
}

TEST(Edit, RefusesASourceThatIsNotThereYetOrOfAnotherShape) {
  Edit edit;
  edit.kind = EditKind::copy;
  edit.activation = "blocks.0.attn.hook_v";
  const auto from = [&](const char* source) {
    edit.source = source;
    return refusal(edit);
  };
  EXPECT_EQ(from("blocks.0.attn.hook_k"), "accepted");
  EXPECT_EQ(from("blocks.0.attn.hook_z"),
            "blocks.0.attn.hook_v: found the source blocks.0.attn.hook_z, which is not computed "
            "before it");
  EXPECT_EQ(from("blocks.0.attn.hook_v"),
            "blocks.0.attn.hook_v: found the source blocks.0.attn.hook_v, which is not computed "
            "before it");
  EXPECT_TRUE(test::like(from("hook_embed"), "blocks.0.attn.hook_v: found the source hook_embed*"));
  EXPECT_EQ(from("blocks.0.hook_q_input"),
            "blocks.0.attn.hook_v: found the source blocks.0.hook_q_input of width 16, allowed 8");
}

TEST(Edit, AddsTokensToTheLogitsFromAPatternAlone) {
  Edit edit;
  edit.kind = EditKind::add_tokens;
  edit.activation = "logits";
  edit.head = 1;
  edit.source = "blocks.1.attn.hook_pattern";
  EXPECT_EQ(refusal(edit), "accepted");
  edit.source = "blocks.1.attn.hook_z";
  EXPECT_NE(refusal(edit), "accepted");
  edit.source = "blocks.0.attn.hook_pattern";
  edit.activation = "blocks.1.hook_resid_post";
  EXPECT_NE(refusal(edit), "accepted");
}

TEST(FirstStep, OfAPatternIsThatOfItsScoresWhosePlaceItTakes) {
  const SmallModel model = make_model(small_architecture());
  const auto pattern = first_step(model.program, "blocks.1.attn.hook_pattern", 0);
  const auto scores = first_step(model.program, "blocks.1.attn.hook_attn_scores", 0);
  ASSERT_TRUE(pattern && scores);
  EXPECT_EQ(*pattern, *scores);
  EXPECT_TRUE(std::holds_alternative<Scores>(model.program.steps[*pattern]));
}

TEST(FirstStep, OfHeadsOfLaterStepsIsLater) {
  Architecture a = small_architecture();
  a.steps = 2;
  const SmallModel model = make_model(a);
  const auto any = first_step(model.program, "blocks.0.attn.hook_z", std::nullopt);
  const auto first = first_step(model.program, "blocks.0.attn.hook_z", 1);
  const auto later = first_step(model.program, "blocks.0.attn.hook_z", 2);
  ASSERT_TRUE(any && first && later);
  EXPECT_EQ(*any, *first);
  EXPECT_LT(*first, *later);
}

}  // namespace
}  // namespace lookback::model
