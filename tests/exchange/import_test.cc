// Imports trust nothing: whatever a directory holds, there is a model or one clear line.
#include "lookback/exchange/import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "lookback/base/file.h"
#include "lookback/exchange/export.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/models.h"

namespace lookback::exchange {
namespace {

using nlohmann::json;

/// An exported GPT-2 whose files a test spoils before it is imported.
class Directory {
 public:
  explicit Directory(Target target, const model::Architecture& architecture = spec::gpt2()) {
    const Status written = write_export(spec::make_model(architecture), target, directory_.path());
    EXPECT_TRUE(written);
    const Result<std::string> text = base::read_file(directory_ / "config.json", 1 << 20);
    EXPECT_TRUE(text);
    if (text) config = json::parse(*text);
    Result<base::SafetensorsFile> file =
        base::SafetensorsFile::read(directory_ / "model.safetensors");
    EXPECT_TRUE(file);
    if (!file) return;
    metadata = file->metadata();
    metadata.erase("checksum");
    for (const std::string& name : file->names()) {
      const Result<base::Tensor> tensor = file->find(name);
      shapes[name] = tensor->shape;
      values[name].assign(tensor->values.begin(), tensor->values.end());
    }
  }

  std::filesystem::path operator/(const std::string& name) const { return directory_ / name; }

  /// Writes the files as they now are, and imports them.
  Result<study::SavedModel> import() const {
    std::vector<base::Tensor> tensors;
    for (const auto& [name, shape] : shapes) tensors.push_back({name, shape, values.at(name)});
    EXPECT_TRUE(base::write_safetensors(directory_ / "model.safetensors", tensors, metadata));
    EXPECT_TRUE(base::write_file_atomically(directory_ / "config.json", config.dump()));
    return import_model(directory_.path());
  }

  /// The one line that importing gives.
  std::string refusal() const { return refusal_of(import()); }
  /// The same without writing anything first.
  std::string refusal_as_is() const { return refusal_of(import_model(directory_.path())); }

  json config;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::vector<std::size_t>> shapes;
  std::map<std::string, std::vector<float>> values;

 private:
  static std::string refusal_of(const Result<study::SavedModel>& model) {
    if (model) return "imported";
    EXPECT_EQ(model.error().message.find('\n'), std::string::npos) << model.error().message;
    return model.error().message;
  }

  test::TemporaryDirectory directory_;
};

void expect_says(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << message << "\n  does not say: " << part;
}

TEST(Import, AHuggingFaceDirectoryWithoutOurNoteIsAModelWithBiases) {
  Directory directory(Target::huggingface);
  directory.metadata = {{"format", "pt"}};
  const Result<study::SavedModel> model = directory.import();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->config, import_config(spec::gpt2()));
  EXPECT_EQ(model->config.arm, "imported");
  EXPECT_EQ(model->parameters, spec::make_model(spec::gpt2()).parameters);
}

TEST(Import, ATransformerLensDirectoryWithoutOurNoteHasAnUnembeddingOfItsOwn) {
  Directory directory(Target::transformer_lens);
  directory.metadata.clear();
  const Result<study::SavedModel> model = directory.import();
  ASSERT_TRUE(model) << model.error().message;
  model::Architecture expected = spec::gpt2();
  expected.tied_embeddings = false;
  EXPECT_EQ(model->config.architecture, expected);
}

TEST(Import, TheHeadlessNamesOfGpt2ModelAreRead) {
  Directory directory(Target::huggingface);
  const auto shapes = std::exchange(directory.shapes, {});
  for (const auto& [name, shape] : shapes) {
    const std::string bare = name.substr(std::string("transformer.").size());
    directory.shapes[bare] = shape;
    directory.values[bare] = directory.values[name];
  }
  const Result<study::SavedModel> model = directory.import();
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->parameters, spec::make_model(spec::gpt2()).parameters);
}

TEST(Import, MasksAndTablesThatOtherProgramsSaveArePassedOver) {
  Directory hugging(Target::huggingface);
  hugging.shapes["transformer.h.0.attn.bias"] = {1, 1, 2, 2};
  hugging.values["transformer.h.0.attn.bias"] = {1, 0, 1, 1};
  hugging.shapes["transformer.h.0.attn.masked_bias"] = {};
  hugging.values["transformer.h.0.attn.masked_bias"] = {-1e4F};
  EXPECT_TRUE(hugging.import());
  Directory lens(Target::transformer_lens);
  lens.shapes["blocks.0.attn.IGNORE"] = {};
  lens.values["blocks.0.attn.IGNORE"] = {-std::numeric_limits<float>::infinity()};
  lens.shapes["blocks.1.attn.mask"] = {0, 0};
  lens.values["blocks.1.attn.mask"] = {};
  EXPECT_TRUE(lens.import());
}

TEST(Import, AHeadBesideTiedEmbeddingsMustBeTheEmbedding) {
  Directory directory(Target::huggingface);
  directory.shapes["lm_head.weight"] = directory.shapes["transformer.wte.weight"];
  directory.values["lm_head.weight"] = directory.values["transformer.wte.weight"];
  EXPECT_TRUE(directory.import());
  directory.values["lm_head.weight"][7] += 1;
  expect_says(directory.refusal(), "'lm_head.weight' differs from 'transformer.wte.weight'");
}

struct Spoiled {
  std::string says;
  std::function<void(Directory&)> spoil;
};

void expect_refused(Target target, const std::vector<Spoiled>& cases) {
  for (const Spoiled& spoiled : cases) {
    Directory directory(target);
    spoiled.spoil(directory);
    expect_says(directory.refusal(), spoiled.says);
  }
}

TEST(Import, AConfigurationThatLookbackCannotExpressIsRefused) {
  expect_refused(Target::huggingface,
                 {{"key 'layer_norm_epsilon': found 1e-06",
                   [](Directory& d) { d.config["layer_norm_epsilon"] = 1e-6; }},
                  {"key 'activation_function': found \"relu\"",
                   [](Directory& d) { d.config["activation_function"] = "relu"; }},
                  {"key 'scale_attn_by_inverse_layer_idx': found true",
                   [](Directory& d) { d.config["scale_attn_by_inverse_layer_idx"] = true; }},
                  {"key 'model_type': found \"llama\"",
                   [](Directory& d) { d.config["model_type"] = "llama"; }},
                  {"key 'n_head': found 3, allowed: a divisor of n_embd = 16",
                   [](Directory& d) { d.config["n_head"] = 3; }},
                  {"key 'n_layer': found 0", [](Directory& d) { d.config["n_layer"] = 0; }},
                  {"model.layers is 100000", [](Directory& d) { d.config["n_layer"] = 100000; }},
                  {"key 'n_embd': is missing", [](Directory& d) { d.config.erase("n_embd"); }},
                  {"key 'n_embd': found \"16\"", [](Directory& d) { d.config["n_embd"] = "16"; }},
                  {"key 'rope_theta'", [](Directory& d) { d.config["rope_theta"] = 1e4; }}});
  expect_refused(
      Target::transformer_lens,
      {{"key 'eps'", [](Directory& d) { d.config["eps"] = 1e-6; }},
       {"key 'normalization_type': found \"LNPre\"",
        [](Directory& d) { d.config["normalization_type"] = "LNPre"; }},
       {"key 'act_fn': found \"relu\"", [](Directory& d) { d.config["act_fn"] = "relu"; }},
       {"key 'positional_embedding_type': found \"alibi\"",
        [](Directory& d) { d.config["positional_embedding_type"] = "alibi"; }},
       {"key 'parallel_attn_mlp': found true",
        [](Directory& d) { d.config["parallel_attn_mlp"] = true; }},
       {"key 'd_vocab_out'", [](Directory& d) { d.config["d_vocab_out"] = 5; }},
       {"key 'gated'", [](Directory& d) { d.config["gated"] = true; }}});
}

TEST(Import, TensorsThatDoNotFitTheConfigurationAreRefused) {
  const std::string weight = "transformer.h.1.attn.c_attn.weight";
  expect_refused(
      Target::huggingface,
      {{"'" + weight + "' is missing", [&](Directory& d) { d.shapes.erase(weight); }},
       {"'" + weight + "': found shape [48, 16]",
        [&](Directory& d) {
          d.shapes[weight] = {48, 16};
        }},
       {"'" + weight + "' holds non-finite", [&](Directory& d) { d.values[weight][5] = NAN; }},
       {"found tensor 'transformer.h.2.ln_1.weight'",
        [](Directory& d) {
          d.shapes["transformer.h.2.ln_1.weight"] = {16};
          d.values["transformer.h.2.ln_1.weight"].resize(16);
        }},
       {"found shape [19, 16]", [](Directory& d) {
          d.metadata.clear();
          d.config["vocab_size"] = 4096;
        }}});
  expect_refused(
      Target::transformer_lens,
      {{"'unembed.b_U' must be zero", [](Directory& d) { d.values["unembed.b_U"][3] = 1; }},
       {"'unembed.W_U' differs from 'embed.W_E'",
        [](Directory& d) { d.values["unembed.W_U"][3] += 1; }}});
}

TEST(Import, KeysThatStandForValuesMustStillBeTheKeys) {
  model::Architecture no_ov = spec::gpt2();
  no_ov.no_ov = true;
  const auto refusal = [&](const char* tensor) {
    Directory directory(Target::transformer_lens, no_ov);
    directory.values[tensor][3] += 1;
    return directory.refusal();
  };
  expect_says(refusal("blocks.1.attn.W_V"), "'blocks.1.attn.W_V' differs from 'blocks.1.attn.W_K'");
  expect_says(refusal("blocks.0.attn.b_V"), "'blocks.0.attn.b_V' differs from 'blocks.0.attn.b_K'");
  expect_says(refusal("blocks.0.attn.W_O"), "'blocks.0.attn.W_O' must be the identity");
}

TEST(Import, WhatATransformerBridgeSavesIsRefused) {
  Directory directory(Target::transformer_lens);
  directory.shapes["embed.weight"] = std::exchange(directory.shapes["embed.W_E"], {});
  directory.values["embed.weight"] = std::exchange(directory.values["embed.W_E"], {});
  directory.shapes.erase("embed.W_E");
  expect_says(directory.refusal(), "found 'embed.weight'");
}

TEST(Import, ANoteThatTellsOfAnotherModelIsRefused) {
  const std::string what = "metadata 'lookback_config'";
  expect_refused(Target::huggingface,
                 {{what + " describes another model", [](Directory& d) { d.config["n_head"] = 1; }},
                  {what, [](Directory& d) { d.metadata["lookback_config"] = "[model"; }},
                  {"metadata 'lookback_step': found 'x'",
                   [](Directory& d) { d.metadata["lookback_step"] = "x"; }}});
}

TEST(Import, DirectoriesOfAnotherKindAreToldApart) {
  const Directory directory(Target::huggingface);
  std::filesystem::remove(directory / "model.safetensors");
  expect_says(directory.refusal_as_is(), "found no model.safetensors");
  ASSERT_TRUE(base::write_file_atomically(directory / "pytorch_model.bin", "x"));
  expect_says(directory.refusal_as_is(), "found pytorch_model.bin, allowed: model.safetensors");
  ASSERT_TRUE(base::write_file_atomically(directory / "model.safetensors.index.json", "{}"));
  expect_says(directory.refusal_as_is(), "found sharded weights");
  for (const std::string text : {"", "[1, 2]", "{\"a\": 1", "null"}) {
    ASSERT_TRUE(base::write_file_atomically(directory / "config.json", text));
    expect_says(directory.refusal_as_is(), "config.json: not a JSON object");
  }
  ASSERT_TRUE(base::write_file_atomically(directory / "config.json", "{}"));
  expect_says(directory.refusal_as_is(), "found neither 'model_type'");
  std::filesystem::remove(directory / "config.json");
  expect_says(directory.refusal_as_is(), "config.json: cannot open");
  expect_says(Directory(Target::torch).refusal_as_is(), "import the checkpoint");
}

TEST(Import, ACutOffFileIsRefused) {
  const Directory directory(Target::huggingface);
  const Result<std::string> bytes = base::read_file(directory / "model.safetensors", 1 << 24);
  ASSERT_TRUE(bytes);
  const std::string_view half = std::string_view(*bytes).substr(0, bytes->size() / 2);
  ASSERT_TRUE(base::write_file_atomically(directory / "model.safetensors", half));
  expect_says(directory.refusal_as_is(), "model.safetensors: ");
}

TEST(Import, DeeplyNestedJsonIsRefused) {
  const Directory directory(Target::huggingface);
  const std::string nested =
      "{\"a\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  ASSERT_TRUE(base::write_file_atomically(directory / "config.json", nested));
  expect_says(directory.refusal_as_is(), "found values nested deeper than 64");
}

TEST(Import, ReadsAtMost256Tokens) {
  model::Architecture large = spec::gpt2();
  large.context = 1024;
  const study::RunConfig config = import_config(large);
  EXPECT_EQ(config.data.length, 256U);
  EXPECT_EQ(config.arm, "imported");
}

}  // namespace
}  // namespace lookback::exchange
