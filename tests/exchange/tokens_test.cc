// Our tokens and vocabularies in the hands of the packages tokenizers, tiktoken and transformers.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lookback/base/random.h"
#include "lookback/exchange/export.h"
#include "lookback/language/bpe_training.h"
#include "tests/base/temporary_directory.h"
#include "tests/exchange/models.h"
#include "tests/exchange/python.h"
#include "tests/language/shared_data.h"

namespace lookback::exchange {
namespace {

struct Range {
  char32_t first, last;
};

/// Characters that Unicode has had for long, so that every version classifies them the same way: of
/// many scripts, digits of several, marks, every white space and what is none though it looks so.
constexpr Range known_characters[] = {
    {0x20, 0x7E},        {0x20, 0x20},       {U'\'', U'\''},     {0x61, 0x7A},
    {0x00, 0x1F},        {0x80, 0xFF},       {0x100, 0x17F},     {0x300, 0x36F},
    {0x391, 0x3A1},      {0x410, 0x44F},     {0x5D0, 0x5EA},     {0x621, 0x63A},
    {0x660, 0x669},      {0x905, 0x939},     {0x966, 0x96F},     {0xE01, 0xE3A},
    {0x1680, 0x1680},    {0x180E, 0x180E},   {0x2000, 0x200F},   {0x2010, 0x2027},
    {0x2028, 0x202F},    {0x205F, 0x2060},   {0x2070, 0x2071},   {0x2150, 0x2188},
    {0x20AC, 0x20AC},    {0x2190, 0x21FF},   {0x3000, 0x3002},   {0x3041, 0x3096},
    {0x4E00, 0x9FA5},    {0xAC00, 0xD7A3},   {0xE000, 0xE00F},   {0xFEFF, 0xFEFF},
    {0xFFFD, 0xFFFF},    {0x1D400, 0x1D454}, {0x1F600, 0x1F64F}, {0x20000, 0x2A6D6},
    {0x10FFFF, 0x10FFFF}};

void append_utf8(std::string& text, char32_t c) {
  const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      byte(0xE0 | c >> 12);
    } else {
      byte(0xF0 | c >> 18);
      byte(0x80 | (c >> 12 & 0x3F));
    }
    byte(0x80 | (c >> 6 & 0x3F));
  }
  byte(0x80 | (c & 0x3F));
}

std::string random_text(base::RandomStream& random) {
  std::string text;
  for (std::uint64_t left = random.below(40); left > 0; --left) {
    const Range& range = known_characters[random.below(std::size(known_characters))];
    const auto c = static_cast<char32_t>(range.first + random.below(range.last - range.first + 1));
    for (std::uint64_t times = random.below(8) == 0 ? 3 : 1; times > 0; --times) {
      append_utf8(text, c);
    }
  }
  return text;
}

/// Writes what check_tokens.py reads: random texts, some of the project's own and their tokens.
void write_cases(const language::Tokenizer& tokenizer, const std::filesystem::path& folder) {
  ASSERT_TRUE(language::write_tokenizer(folder / "tokenizer.json", tokenizer));
  std::ofstream cases(folder / "tokens.jsonl");
  const auto add = [&](const std::string& text) {
    cases << nlohmann::json{{"text", text}, {"ids", tokenizer.encode(text)}}.dump() << '\n';
  };
  base::RandomStream random(1, base::StreamPurpose::test, 0);
  for (int i = 0; i < 5000; ++i) add(random_text(random));
  add("before <|endoftext|> after");
  for (const std::size_t size : {63u, 64u, 65u, 1000u}) {  // in one piece
    std::string letters;
    for (std::size_t j = 0; j < size; ++j) letters += "etaoin"[random.below(6)];
    for (const std::string& text : {letters, std::string(size, 'a'), std::string(size, ' '),
                                    std::string(size, '-'), std::string(size, '\n')}) {
      add(text);
      add("x" + text + "x");
    }
  }
  for (const char* name : {"README.md", "docs/science.md", "cmake/Options.cmake"}) {
    add(language::spec::contents(std::filesystem::path(LOOKBACK_SOURCE_DIR) / name));
  }
}

void expect_agreement(const std::filesystem::path& folder,
                      const std::string& script = "check_tokens.py") {
  const auto answer = spec::run_python(spec::python_with_libraries(), script, {folder.string()});
  if (answer.exit_code == 77) GTEST_SKIP() << answer.text;
  std::fputs(answer.text.c_str(), stdout);
  EXPECT_EQ(answer.exit_code, 0) << answer.text;
}

std::string own_text() {
  std::string text;
  for (const char* name : {"docs/science.md", "docs/decisions.md", "docs/formats.md"}) {
    text += language::spec::contents(std::filesystem::path(LOOKBACK_SOURCE_DIR) / name);
  }
  return text;
}

language::Tokenizer learnt(std::size_t size) {
  language::BpeTraining training(*language::PreTokenizer::make());
  training.add(own_text());
  return *language::Tokenizer::make(*training.train(size));
}

TEST(Tokens, OfALearntVocabularyAreThoseOfOtherPackagesAndSoIsTheVocabulary) {
  const test::TemporaryDirectory folder;
  write_cases(learnt(2000), folder.path());
  std::ofstream(folder / "training.txt") << own_text();
  expect_agreement(folder.path());
}

/// A model of Hugging Face's with a vocabulary that is larger than the tokenizer's.
study::SavedModel model_of(const language::Tokenizer& tokenizer) {
  model::Architecture architecture = spec::gpt2();
  architecture.vocabulary = tokenizer.size() + 24;
  return spec::make_model(architecture);
}

nlohmann::json json_in(const std::filesystem::path& file) {
  return nlohmann::json::parse(language::spec::contents(file));
}

TEST(Tokens, OfAnExportForHuggingFaceAreThoseOfTransformers) {
  const test::TemporaryDirectory folder;
  const language::Tokenizer tokenizer = learnt(1000);
  write_cases(tokenizer, folder.path());
  const Status written =
      write_export(model_of(tokenizer), Target::huggingface, folder.path(), &tokenizer);
  ASSERT_TRUE(written) << written.error().message;
  expect_agreement(folder.path(), "check_huggingface_tokenizer.py");
}

TEST(ExportedTokenizer, ComesWithTheIdOfTheEndOfText) {
  const test::TemporaryDirectory folder;
  const language::Tokenizer tokenizer = learnt(600);
  const auto exported = [&](const char* name, const language::Tokenizer* with) {
    const Status written =
        write_export(model_of(tokenizer), Target::huggingface, folder / name, with);
    EXPECT_TRUE(written) << written.error().message;
    return json_in(folder / name / "config.json");
  };
  const nlohmann::json config = exported("with", &tokenizer);
  EXPECT_EQ(config["bos_token_id"], 599);
  EXPECT_EQ(config["eos_token_id"], 599);
  EXPECT_EQ(json_in(folder / "with/generation_config.json"),
            (nlohmann::json{{"bos_token_id", 599}, {"eos_token_id", 599}}));
  EXPECT_EQ(json_in(folder / "with/tokenizer_config.json")["eos_token"], "<|endoftext|>");
  const auto again = language::read_tokenizer(folder / "with");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->vocabulary(), tokenizer.vocabulary());

  EXPECT_TRUE(exported("without", nullptr)["eos_token_id"].is_null());
  EXPECT_FALSE(std::filesystem::exists(folder / "without/tokenizer.json"));
}

TEST(ExportedTokenizer, OfAnotherModelIsNotLeftBesideOneWhoseOwnIsNotKnown) {
  const test::TemporaryDirectory folder;
  const language::Tokenizer tokenizer = learnt(600);
  const auto status = [&](const language::Tokenizer* with) {
    return write_export(model_of(tokenizer), Target::huggingface, folder.path(), with);
  };
  ASSERT_TRUE(status(&tokenizer));
  const Status refused = status(nullptr);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.starts_with((folder / "tokenizer.json").string() + ": "))
      << refused.error().message;
  EXPECT_TRUE(status(&tokenizer));
}

class TokensOfGpt2 : public language::spec::WithGpt2 {};

TEST_F(TokensOfGpt2, AreThoseOfOtherPackages) {
  const test::TemporaryDirectory folder;
  write_cases(gpt2(), folder.path());
  expect_agreement(folder.path());
}

}  // namespace
}  // namespace lookback::exchange
