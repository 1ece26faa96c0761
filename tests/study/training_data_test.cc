// What a run learns from: the text that it names, and no other.
#include "lookback/study/training_data.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/study/small_study.h"
#include "tests/study/small_text.h"

namespace lookback::study {
namespace {

/// As --data says it.
Overrides from(const std::string& directory) {
  Overrides overrides;
  overrides.directory = directory;
  return overrides;
}

class TrainingDataOfText : public testing::Test {
 protected:
  Result<Study> read(const std::string& text, const Overrides& overrides = {}) const {
    std::ofstream(file_) << text;
    return read_study_and_text(file_, overrides);
  }
  /// Without the study file's name before it.
  std::string refusal(const std::string& text, const Overrides& overrides = {}) const {
    const Result<Study> study = read(text, overrides);
    if (study) return "none";
    EXPECT_TRUE(study.error().message.starts_with(file_)) << study.error().message;
    return study.error().message.substr(std::min(study.error().message.size(), file_.size() + 2));
  }
  std::string study_with(const std::string& key, const std::string& value) const {
    return spec::text_study(books_, fmt::format("{} = \"{}\"\n", key, value));
  }

  test::TemporaryDirectory directory_;
  std::string file_ = directory_ / "study.toml";
  std::string books_ = spec::prepare_text(directory_, "books", spec::made_up_text(60));
};

TEST_F(TrainingDataOfText, PutsTheChecksumIntoArmsAndStudy) {
  const Result<Text> text = open_text(books_);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->checksum.size(), 16U);
  const Result<Study> study = read(spec::text_study(books_));
  ASSERT_TRUE(study) << study.error().message;
  for (const RunConfig& arm : study->arms)
    EXPECT_EQ(arm.data.task.text("checksum"), text->checksum);
  EXPECT_NE(study->text.find(text->checksum), std::string::npos);
  EXPECT_EQ(refusal(study->text), "none");  // study.toml of its directory
}

TEST_F(TrainingDataOfText, IsTheSameRunWhereverTheFilesLie) {
  std::filesystem::copy(books_, directory_ / "elsewhere");
  const Result<Study> here = read(spec::text_study(books_)),
                      there = read(spec::text_study(directory_ / "elsewhere"));
  ASSERT_TRUE(here && there);
  EXPECT_EQ(here->arms, there->arms);
  EXPECT_EQ(to_toml(here->arms[0]), to_toml(there->arms[0]));
}

TEST_F(TrainingDataOfText, TheCommandLineNamesAnotherDirectory) {
  const std::string other = spec::prepare_text(directory_, "other", spec::made_up_text(60, 1));
  const Result<Study> study = read(spec::text_study(books_), from(other));
  ASSERT_TRUE(study) << study.error().message;
  EXPECT_EQ(study->arms[0].data.directory, other);
  EXPECT_EQ(study->arms[0].data.task.text("checksum"), open_text(other)->checksum);
  EXPECT_TRUE(read(spec::text_study(""), from(other)));
}

TEST_F(TrainingDataOfText, OtherTokensAreRefusedWhereTheChecksumIsGiven) {
  const std::string mine = open_text(books_)->checksum;
  EXPECT_EQ(refusal(study_with("checksum", mine)), "none");
  const std::string other = spec::prepare_text(directory_, "other", spec::made_up_text(60, 1));
  EXPECT_EQ(refusal(study_with("checksum", mine), from(other)),
            "arm 'ov': " + other + ": found tokens of checksum " + open_text(other)->checksum +
                ", allowed: data.checksum = " + mine + ", those that this study was made with");
}

TEST_F(TrainingDataOfText, AModelThatDoesNotKnowAllTokensIsRefused) {
  std::string study = spec::text_study(books_);
  study.replace(study.find("257"), 3, "256");
  EXPECT_EQ(refusal(study), "arm 'ov': " + books_ +
                                ": found tokens of a vocabulary of 257, allowed: "
                                "model.vocabulary = 256");
}

TEST_F(TrainingDataOfText, TooFewTokensAreRefused) {
  const std::string few = spec::prepare_text(directory_, "few", "a\n\nb\n\nc\n\nd\n\ne\n");
  const std::string line = refusal(spec::text_study(few));
  EXPECT_TRUE(line.starts_with("arm 'ov': " + few + "/train.tokens: found ")) << line;
  EXPECT_TRUE(line.ends_with(" tokens, allowed for windows of 32 tokens: at least 63")) << line;
}

TEST_F(TrainingDataOfText, ArmsHaveOneDirectory) {
  const std::string study = spec::text_study(books_) + "[arm.data]\ndirectory = \"mine\"\n";
  EXPECT_EQ(refusal(study),
            "data.directory: arm 'no-ov' has one of its own, allowed: one for all arms of a study");
}

TEST_F(TrainingDataOfText, NoDirectoryIsRefused) {
  EXPECT_EQ(refusal(spec::text_study("")),
            "arm 'ov': data.directory: found nothing, allowed: a directory that `lookback tokens "
            "prepare` made (or --data)");
  const std::string absent = directory_ / "absent";
  EXPECT_TRUE(refusal(spec::text_study(absent)).starts_with("arm 'ov': " + absent));
}

TEST_F(TrainingDataOfText, FilesOfTwoTokenizersAreRefused) {
  language::Vocabulary other = language::bytes_alone();
  language::append_special(other, language::end_of_text);
  language::append_special(other, "<|other|>");
  ASSERT_TRUE(language::prepare_tokens({directory_ / "books.txt"},
                                       *language::Tokenizer::make(other), directory_ / "other",
                                       {.documents = language::DocumentKind::paragraphs}));
  std::filesystem::copy(directory_ / "other" / "validation.tokens", books_ + "/validation.tokens",
                        std::filesystem::copy_options::overwrite_existing);
  const Result<Text> text = open_text(books_);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message,
            books_ +
                ": its tokens were not made with the tokenizer.json beside them; prepare them "
                "together");
}

TEST_F(TrainingDataOfText, ATokenizerPutInThePlaceOfTheirsIsRefused) {
  std::ofstream(books_ + "/tokenizer.json", std::ios::app) << ' ';
  const Result<Text> text = open_text(books_);
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("not made with the tokenizer.json"), std::string::npos);
}

TEST_F(TrainingDataOfText, SaysHowManyOfItsFilesGetDataVerifies) {
  const Result<Text> text = open_text(books_);
  ASSERT_TRUE(text && text->sources);
  EXPECT_EQ(text->sources->files, 1U);
  EXPECT_EQ(text->sources->verified, 0U);
  EXPECT_EQ(text->data_json, spec::text_of(books_ + "/data.json"));
  nlohmann::json data = spec::json_of(books_ + "/data.json");
  // GPT-2's vocab.bpe, for one.
  data["sources"][0]["file_sha256"] =
      "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5";
  std::ofstream(books_ + "/data.json") << data;
  EXPECT_EQ(open_text(books_)->sources->verified, 1U);
  data["sources"][0].erase("file_sha256");  // as it was written before
  std::ofstream(books_ + "/data.json") << data;
  const Result<Text> before = open_text(books_);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_FALSE(before->sources);
  EXPECT_EQ(to_json(*before)["files"], nullptr);
}

TEST_F(TrainingDataOfText, ADataJsonOfOtherTokensIsRefused) {
  const std::string other = spec::prepare_text(directory_, "other", spec::made_up_text(60, 1));
  const std::string mine = open_text(books_)->data_json;
  for (const std::string& wrong : {spec::text_of(other + "/data.json"), std::string("{}"),
                                   mine.substr(0, mine.size() / 2), std::string("[]")}) {
    std::ofstream(books_ + "/data.json") << wrong;
    const Result<Text> text = open_text(books_);
    ASSERT_FALSE(text) << wrong;
    EXPECT_TRUE(text.error().message.starts_with(books_ + "/data.json: found \""))
        << text.error().message;
  }
}

TEST_F(TrainingDataOfText, AStudyOfBlocksHasNoUseForIt) {
  std::ofstream(file_) << spec::small_study;
  const Result<Study> study = read_study_and_text(file_, from(books_));
  ASSERT_FALSE(study);
  EXPECT_EQ(study.error().message, "--data: " + file_ + " does not learn from text");
  const Result<Study> alone = read_study_and_text(file_, {});
  ASSERT_TRUE(alone) << alone.error().message;
  const Result<TrainingData> blocks = open_training_data(alone->run(0, 0));
  ASSERT_TRUE(blocks);
  EXPECT_FALSE(blocks->text);
  EXPECT_EQ(blocks->source->sequence(3), (*training_task(alone->run(0, 0)))->sequence(3));
}

TEST_F(TrainingDataOfText, WindowsAreThoseOfTheSeed) {
  const Result<Study> study = read(spec::text_study(books_));
  ASSERT_TRUE(study) << study.error().message;
  const Result<TrainingData> first = open_training_data(study->run(0, 0)),
                             again = open_training_data(study->run(1, 0)),
                             other = open_training_data(study->run(0, 1));
  ASSERT_TRUE(first && again && other);
  ASSERT_TRUE(first->text);
  EXPECT_EQ(first->source->length(), 32U);
  EXPECT_EQ(first->source->vocabulary(), spec::byte_vocabulary);
  std::size_t different = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(first->source->sequence(i), again->source->sequence(i));
    different += first->source->sequence(i) != other->source->sequence(i) ? 1 : 0;
  }
  EXPECT_GT(different, 150U);
}

TEST_F(TrainingDataOfText, RepeatsChangeSomeOfTheWindowsAlone) {
  const Result<Study> study = read(spec::text_study(books_));
  ASSERT_TRUE(study) << study.error().message;
  RunConfig config = study->run(0, 0);
  const Result<TrainingData> plain = open_training_data(config);
  config.data.task.values["repeats"] = 0.5;
  const Result<TrainingData> repeating = open_training_data(config);
  ASSERT_TRUE(plain && repeating);
  std::size_t different = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    different += plain->source->sequence(i) != repeating->source->sequence(i) ? 1 : 0;
  }
  EXPECT_GT(different, 60U);
  EXPECT_LT(different, 140U);
}

}  // namespace
}  // namespace lookback::study
