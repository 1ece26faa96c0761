// Architectures as text: what is written is what is read, and nothing else is accepted.
#include "lookback/model/architecture_toml.h"

#include <gtest/gtest.h>

#include <sstream>

#include "lookback/base/toml_document.h"
#include "tests/model/cases.h"

namespace lookback::model::spec {
namespace {

Result<Architecture> read(const std::string& text) {
  Result<base::Document> document = base::parse_toml(text, "study.toml");
  if (!document) return document.error();
  base::TableReader reader(std::move(*document));
  const Architecture a = read_architecture(reader.table("model"), reader.table("init"));
  if (Status status = reader.finish(); !status) return status.error();
  return a;
}

void expect_round_trip(const Architecture& a) {
  const Result<Architecture> back = read(to_toml(a));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, a) << to_toml(a) << "was read as\n" << to_toml(*back);
}

void expect_error(const std::string& text, const std::string& message) {
  const Result<Architecture> a = read(text);
  ASSERT_FALSE(a) << text;
  EXPECT_EQ(a.error().message, message);
}

TEST(ArchitectureToml, GivesEveryCaseOfTheseTestsBack) {
  for (const Case& c : cases(small_sizes)) expect_round_trip(c.architecture);
  for (const Case& c : cases(odd_sizes)) expect_round_trip(c.architecture);
}

/// No member has its default.
Architecture all_changed() {
  Architecture a;
  a.vocabulary = 50257;
  a.context = 1024;
  a.d_model = 768;
  a.d_head = 32;
  a.layers = 12;
  a.heads = 24;
  a.steps = 2;
  a.shared_weights = true;
  a.norm_between = NormKind::rmsnorm;
  a.step_input = StepInput::raw;
  a.norm = NormKind::rmsnorm;
  a.layers_without_norm = {0, 7, 11};
  a.mlp_norm = NormKind::none;
  a.final_norm = NormKind::rmsnorm;
  a.positions = Positions::rotary;
  a.rotary_base = 500000.5;
  a.biases = true;
  a.d_mlp = 3072;
  a.tied_embeddings = true;
  a.smeared_keys = true;
  a.no_ov = true;
  a.no_ov_value = NoOvValue::after_rotation;
  a.initialization = {0.1 + 0.2, 1e-300, false, 0.02, 1.0 / 3, true};
  return a;
}

TEST(ArchitectureToml, KeepsEveryMemberToTheLastBit) {
  ASSERT_TRUE(validate(all_changed()));
  expect_round_trip(all_changed());
}

TEST(ArchitectureToml, WritesEveryKeyWithItsValue) {
  std::istringstream before(to_toml(Architecture{}));
  std::istringstream after(to_toml(all_changed()));
  std::string line, changed;
  std::size_t keys = 0;
  while (std::getline(before, line) && std::getline(after, changed)) {
    if (line.find('=') == std::string::npos) continue;
    EXPECT_NE(line, changed);
    EXPECT_EQ(line.substr(0, line.find('=')), changed.substr(0, changed.find('=')));
    ++keys;
  }
  EXPECT_EQ(keys, 22U + 6U) << "members of Architecture and of Initialization";
}

TEST(ArchitectureToml, ReadsWhatIsAbsentAsTheDefault) {
  const Result<Architecture> a = read("");
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(*a, Architecture{});
}

TEST(ArchitectureToml, ReadsTheSequentialSetup) {
  const Result<Architecture> a = read(
      "[model]\nsteps = 2\nd_model = 12\nd_head = 4\nvocabulary = 7\ncontext = 8\n"
      "[init]\nembedding = 0.3\n");
  ASSERT_TRUE(a) << a.error().message;
  EXPECT_EQ(*a, sequential(small_sizes));
}

TEST(ArchitectureToml, RefusesUnknownKeysWithTheNearestOne) {
  expect_error("[model]\nheads = 2\nlayer = 3\n",
               "study.toml:3: key 'model.layer' is unknown; nearest: 'layers'");
  expect_error("[init]\nembeding = 0.3\n",
               "study.toml:2: key 'init.embeding' is unknown; nearest: 'embedding'");
  expect_error("[model]\nzzzzzzzzzzzz = 1\n", "study.toml:2: key 'model.zzzzzzzzzzzz' is unknown");
}

/// The line, the key and what is allowed are in every refusal.
void expect_mention(const std::string& text, const std::vector<std::string>& mentions) {
  const Result<Architecture> a = read(text);
  ASSERT_FALSE(a) << text;
  for (const std::string& mention : mentions) {
    EXPECT_NE(a.error().message.find(mention), std::string::npos)
        << '"' << mention << "\" is not in: " << a.error().message;
  }
}

TEST(ArchitectureToml, RefusesValuesThatNoArchitectureHas) {
  expect_mention("[model]\nheads = -1\n", {"study.toml:2", "'model.heads'", "-1"});
  expect_mention("[model]\nheads = 9223372036854775807\n", {"study.toml:2", "'model.heads'"});
  expect_mention("[model]\nheads = \"two\"\n", {"study.toml:2", "'model.heads'", "two"});
  expect_mention("[model]\nbiases = 1\n", {"study.toml:2", "'model.biases'"});
  expect_mention("[model]\n\nnorm = \"layer\"\n",
                 {"study.toml:3", "'model.norm'", "none", "layernorm", "rmsnorm"});
  expect_mention("[model]\npositions = \"alibi\"\n",
                 {"'model.positions'", "none", "learned", "shortformer", "rotary"});
  expect_mention("[model]\nstep_input = \"\"\n", {"'model.step_input'", "normed", "raw"});
  expect_mention("[model]\nno_ov_value = \"rotation\"\n",
                 {"'model.no_ov_value'", "before-rotation", "after-rotation"});
  expect_mention("[model]\nlayers_without_norm = [0, -1]\n", {"'model.layers_without_norm", "-1"});
  expect_mention("[model]\nlayers_without_norm = 0.5\n", {"'model.layers_without_norm"});
  expect_mention("[init]\ngain = nan\n", {"'init.gain'"});
  expect_mention("[init]\ngain = -0.5\n", {"'init.gain'", "-0.5"});
  expect_mention("model = 3\n", {"study.toml:1", "'model'"});
}

}  // namespace
}  // namespace lookback::model::spec
