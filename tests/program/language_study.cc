#include "tests/program/language_study.h"

#include <fstream>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "tests/study/small_text.h"

namespace lookback::program::spec {

std::unique_ptr<test::TemporaryDirectory> LanguageStudy::directory_;

std::string text_of_file(const std::string& path) {
  Result<std::string> text = base::read_file(path, std::size_t{1} << 26);
  if (!text) ADD_FAILURE() << text.error().message;
  return text ? std::move(*text) : std::string();
}

nlohmann::json json_of(const std::string& path) { return base::parse_json(text_of_file(path)); }

void LanguageStudy::SetUpTestSuite() {
  directory_ = std::make_unique<test::TemporaryDirectory>();
  std::ofstream(path("books.txt")) << study::spec::made_up_text(80);
  std::string study = study::spec::text_study(path("books"));
  study.replace(study.find("257"), 3, "282");
  std::ofstream(path("study.toml")) << study;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"tokens", "train", path("books.txt"), "--vocabulary", "280", "--out",
            path("tokenizer.json")},
           {"tokens", "prepare", path("books.txt"), "--tokenizer", path("tokenizer.json"), "--out",
            path("books"), "--documents", "paragraphs", "--validation-share", "0.2"},
           {"study", path("study.toml"), "--out", path("study")}}) {
    const Ended ended = spec::run(lookback(arguments));
    ASSERT_EQ(ended.exit_code, 0) << arguments[0] << ": " << ended.err;
  }
}

}  // namespace lookback::program::spec
