// What another program cannot express is refused with the reason, and with what can.
#include <gtest/gtest.h>

#include "lookback/exchange/export.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/models.h"

namespace lookback::exchange {
namespace {

using model::Architecture;
using model::NormKind;
using model::Positions;

struct Refusal {
  std::string reason;
  Architecture architecture;
};

template <class Change>
Refusal refusal(std::string reason, Architecture architecture, Change change) {
  change(architecture);
  return {std::move(reason), architecture};
}

void expect_refused(const Refusal& refused, Target target) {
  SCOPED_TRACE(refused.reason);
  const test::TemporaryDirectory directory;
  const Status written =
      write_export(spec::make_model(refused.architecture), target, directory / "out");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find(refused.reason), std::string::npos)
      << written.error().message;
  EXPECT_NE(written.error().message.find("--to torch"), std::string::npos);
  EXPECT_EQ(written.error().message.find('\n'), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(directory / "out"));
}

TEST(Refusals, TransformerLensHasNoneOfThese) {
  const Refusal refusals[] = {
      {"sequential steps in one layer (model.steps is 2)", spec::sequential()},
      refusal("smeared keys", spec::parallel(), [](Architecture& a) { a.smeared_keys = true; }),
      refusal("no_ov", spec::parallel(),
              [](Architecture& a) {
                a.no_ov = true;
                a.positions = Positions::shortformer;
              }),
      refusal("no_ov", spec::parallel(),
              [](Architecture& a) {
                a.no_ov = true;
                a.positions = Positions::rotary;
                a.no_ov_value = model::NoOvValue::after_rotation;
              }),
      refusal("norm in some layers only", spec::two_layer(),
              [](Architecture& a) { a.layers_without_norm = {1}; }),
      refusal("norm before the MLP of another kind", spec::gpt2(),
              [](Architecture& a) { a.mlp_norm = NormKind::rmsnorm; }),
      refusal("final norm", spec::two_layer(),
              [](Architecture& a) { a.final_norm = NormKind::none; }),
      refusal("final norm", spec::two_layer(), [](Architecture& a) { a.norm = NormKind::rmsnorm; }),
  };
  for (const Refusal& refused : refusals) expect_refused(refused, Target::transformer_lens);
}

TEST(Refusals, Gpt2HasAllOfThese) {
  const Refusal refusals[] = {
      refusal("model.steps", spec::gpt2(), [](Architecture& a) { a.steps = 2; }),
      refusal("model.smeared_keys", spec::gpt2(), [](Architecture& a) { a.smeared_keys = true; }),
      refusal("model.no_ov", spec::gpt2(), [](Architecture& a) { a.no_ov = true; }),
      refusal("learned positions", spec::gpt2(),
              [](Architecture& a) { a.positions = Positions::rotary; }),
      refusal("LayerNorm before attention in every layer", spec::gpt2(),
              [](Architecture& a) { a.layers_without_norm = {0}; }),
      refusal("LayerNorm before attention in every layer", spec::gpt2(),
              [](Architecture& a) { a.norm = NormKind::rmsnorm; }),
      refusal("an MLP in every layer", spec::two_layer(), [](Architecture&) {}),
      refusal("LayerNorm before the MLP", spec::gpt2(),
              [](Architecture& a) { a.mlp_norm = NormKind::none; }),
      refusal("LayerNorm at the end", spec::gpt2(),
              [](Architecture& a) { a.final_norm = NormKind::none; }),
      refusal("heads that split d_model", spec::gpt2(), [](Architecture& a) { a.d_head = 4; }),
  };
  for (const Refusal& refused : refusals) expect_refused(refused, Target::huggingface);
}

TEST(Refusals, AnotherTargetIsAnErrorThatNamesTheThree) {
  const Result<Target> target = parse_target("onnx");
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().message,
            "found the target 'onnx', allowed: transformer-lens, torch, huggingface");
}

}  // namespace
}  // namespace lookback::exchange
