#include "tests/exchange/models.h"

#include "lookback/exchange/import.h"
#include "tests/model/running.h"

namespace lookback::exchange::spec {
namespace {

using model::Architecture;
using model::NormKind;
using model::Positions;

Architecture small() {
  Architecture a;
  a.vocabulary = 19;
  a.context = 24;
  a.d_model = 16;
  a.d_head = 8;
  return a;
}

template <class Change>
Named changed(std::string name, Architecture a, Change change) {
  change(a);
  return {std::move(name), a};
}

}  // namespace

Architecture two_layer() {
  Architecture a = small();
  a.layers = 2;
  return a;
}

Architecture parallel() {
  Architecture a = small();
  a.heads = 2;
  return a;
}

Architecture sequential() {
  Architecture a = small();
  a.steps = 2;
  return a;
}

Architecture gpt2() {
  Architecture a = small();
  a.layers = 2;
  a.heads = 2;
  a.d_mlp = 40;
  a.biases = true;
  a.tied_embeddings = true;
  return a;
}

std::vector<Named> for_transformer_lens() {
  return {
      changed("Article", Architecture{}, [](Architecture& a) { a.layers = 2; }),
      {"TwoLayer", two_layer()},
      {"Parallel", parallel()},
      {"Gpt2", gpt2()},
      changed("Shortformer", two_layer(),
              [](Architecture& a) { a.positions = Positions::shortformer; }),
      changed("Rotary", two_layer(),
              [](Architecture& a) {
                a.positions = Positions::rotary;
                a.rotary_base = 500;
                a.biases = true;
              }),
      changed("RotaryGpt2", gpt2(),  // a base that is not a whole number, two heads, an MLP
              [](Architecture& a) {
                a.positions = Positions::rotary;
                a.rotary_base = 77.5;
              }),
      changed("ShortformerGpt2", gpt2(),
              [](Architecture& a) {
                a.positions = Positions::shortformer;
                a.norm = a.mlp_norm = a.final_norm = NormKind::rmsnorm;
              }),
      changed("NoOv", gpt2(), [](Architecture& a) { a.no_ov = true; }),
      changed("NoOvRotary", parallel(),
              [](Architecture& a) {
                a.no_ov = true;
                a.positions = Positions::rotary;
              }),
      changed("NoPositions", parallel(), [](Architecture& a) { a.positions = Positions::none; }),
      changed("RmsNorm", gpt2(),
              [](Architecture& a) {
                a.norm = a.mlp_norm = a.final_norm = NormKind::rmsnorm;
                a.tied_embeddings = false;
              }),
      changed("FinalRmsNorm", gpt2(), [](Architecture& a) { a.final_norm = NormKind::rmsnorm; }),
      changed("NoNorm", two_layer(),
              [](Architecture& a) {
                a.norm = a.final_norm = NormKind::none;
                a.d_head = 6;
              }),
      changed("NormInNoLayer", two_layer(),
              [](Architecture& a) {
                a.layers_without_norm = {0, 1};
                a.final_norm = NormKind::none;
              }),
  };
}

std::vector<Named> for_huggingface() {
  return {
      {"Gpt2", gpt2()},
      changed("Untied", gpt2(), [](Architecture& a) { a.tied_embeddings = false; }),
      changed("WithoutBiases", gpt2(),
              [](Architecture& a) {
                a.biases = false;
                a.d_mlp = 4 * a.d_model;
              }),
  };
}

std::vector<Named> for_torch_alone() {
  return {
      changed("ArticleSequential", Architecture{}, [](Architecture& a) { a.steps = 2; }),
      {"Sequential", sequential()},
      changed("SequentialNormed", sequential(),
              [](Architecture& a) {
                a.norm_between = NormKind::layernorm;
                a.heads = 2;
                a.positions = Positions::shortformer;
                a.biases = true;
              }),
      changed("SequentialRaw", sequential(),
              [](Architecture& a) {
                a.steps = 3;
                a.norm_between = NormKind::rmsnorm;
                a.step_input = model::StepInput::raw;
                a.positions = Positions::rotary;
                a.d_mlp = 12;
              }),
      changed("Recurrent", sequential(),
              [](Architecture& a) {
                a.layers = 2;
                a.steps = 3;
                a.shared_weights = true;
                a.norm_between = NormKind::layernorm;
                a.layers_without_norm = {1};
              }),
      changed("SmearedKeys", parallel(), [](Architecture& a) { a.smeared_keys = true; }),
      changed("SmearedRotary", sequential(),
              [](Architecture& a) {
                a.smeared_keys = true;
                a.positions = Positions::rotary;
                a.biases = true;
              }),
      changed("NoOvShortformer", gpt2(),
              [](Architecture& a) {
                a.no_ov = true;
                a.positions = Positions::shortformer;
              }),
      changed("NoOvAfterRotation", gpt2(),
              [](Architecture& a) {
                a.no_ov = true;
                a.no_ov_value = model::NoOvValue::after_rotation;
                a.positions = Positions::rotary;
                a.smeared_keys = true;
                a.steps = 2;
              }),
      changed("MixedNorms", gpt2(),
              [](Architecture& a) {
                a.norm = NormKind::none;
                a.final_norm = NormKind::rmsnorm;
              }),
  };
}

study::SavedModel make_model(const Architecture& architecture) {
  study::SavedModel model;
  model.config = import_config(architecture);
  model.config.arm = "arm";
  model.config.seed = 3;
  model.config.train.tokens = 5000;
  model.header = {study::to_toml(model.config), 3, 20, 5120, 1280, {}, "0123456789abcdef"};
  Result<model::Program> program = model::compile(architecture);
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return model;
  }
  model.program = std::move(*program);
  model.parameters = model::spec::as<float>(model::spec::random_parameters(model.program));
  return model;
}

}  // namespace lookback::exchange::spec
