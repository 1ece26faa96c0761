// Which tokenizer goes with a model, and which are refused.
#include "lookback/cli/find_tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <utility>

#include "lookback/language/read_tokenizer.h"
#include "lookback/language/tokenizer_json.h"
#include "tests/base/like.h"
#include "tests/base/temporary_directory.h"

namespace lookback::cli {
namespace {

/// A tokenizer of bytes, with the first byte exchanged for another: each has 257 tokens.
language::Tokenizer tokenizer(std::size_t exchanged) {
  language::Vocabulary vocabulary = language::bytes_alone();
  std::swap(vocabulary.tokens[0], vocabulary.tokens[exchanged]);
  language::append_special(vocabulary, language::end_of_text);
  return *language::Tokenizer::make(std::move(vocabulary));
}

std::string checksum(const language::Tokenizer& of) {
  return fmt::format("{:016x}", language::tokenizer_checksum(of.vocabulary()));
}

/// A run's directory with a checkpoint that names a tokenizer or, as those of before it was noted,
/// none.
class FindTokenizer : public testing::Test {
 protected:
  FindTokenizer() { model_.program.architecture.vocabulary = 257; }

  std::string write(const std::string& name, const language::Tokenizer& written) const {
    EXPECT_TRUE(language::write_tokenizer(run_ / name, written));
    return run_ / name;
  }

  /// The checksum of the one that is found, or the error.
  std::string found(const std::string& asked) const {
    const auto tokenizer = find_tokenizer(asked, checkpoint_, model_);
    return tokenizer ? checksum(*tokenizer) : tokenizer.error().message;
  }

  static std::string refusal(const std::string& place, const language::Tokenizer& of,
                             const std::string& said_by, const language::Tokenizer& expected) {
    return fmt::format("{}: *{}*{} *{}", place, checksum(of), said_by, checksum(expected));
  }

  test::TemporaryDirectory run_;
  std::string checkpoint_ = run_ / "checkpoints/512.safetensors";
  study::SavedModel model_;
  language::Tokenizer own_ = tokenizer(0), other_ = tokenizer(1);
};

TEST_F(FindTokenizer, SaysOfAModelThatLearnedNoTextWhatItLearned) {
  EXPECT_EQ(found(""), checkpoint_ + ": this model was trained on repeated-blocks, not on text");
}

TEST_F(FindTokenizer, TakesTheOneBesideTheCheckpoints) {
  model_.config.data.task = base::KindConfig(data::text_kind());
  EXPECT_TRUE(test::like(found(""), checkpoint_ + ": *tokenizer.json*--tokenizer"));
  write("tokenizer.json", own_);
  EXPECT_EQ(found(""), checksum(own_));
}

TEST_F(FindTokenizer, RefusesAnotherThanTheCheckpointNames) {
  model_.header.tokenizer = checksum(own_);
  const std::string here = write("tokenizer.json", other_), there = write("other.json", other_);
  EXPECT_TRUE(test::like(found(""), refusal(here, other_, checkpoint_, own_)));
  EXPECT_TRUE(test::like(found(there), refusal(there, other_, checkpoint_, own_)));
  EXPECT_EQ(found(write("same.json", own_)), checksum(own_));
}

TEST_F(FindTokenizer, RefusesAnotherThanTheRunsOwnWhereTheCheckpointNamesNone) {
  const std::string own = write("tokenizer.json", own_), other = write("other.json", other_);
  EXPECT_TRUE(test::like(found(other), refusal(other, other_, own, own_)));
  EXPECT_EQ(found(write("same.json", own_)), checksum(own_));
}

TEST_F(FindTokenizer, TakesAnyThatFitsWhereNothingIsKnown) {
  const std::string other = write("other.json", other_);
  EXPECT_EQ(found(other), checksum(other_));
  model_.program.architecture.vocabulary = 256;
  EXPECT_EQ(found(other),
            other + ": found 257 tokens, allowed: at most 256, the model's vocabulary");
}

}  // namespace
}  // namespace lookback::cli
