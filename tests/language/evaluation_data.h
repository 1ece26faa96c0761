// Files for the tests of evaluation: those of ../shared/data/evals, and ones a test writes.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/data/token_source.h"

namespace lookback::language {

/// Where the evaluation sets are: below LOOKBACK_DATA, or beside the project.
inline std::filesystem::path evaluation_data() {
  const char* data = std::getenv("LOOKBACK_DATA");
  const std::filesystem::path beside =
      std::filesystem::path(LOOKBACK_SOURCE_DIR).parent_path() / "shared" / "data";
  return (data != nullptr ? std::filesystem::path(data) : beside) / "evals";
}

/// A tokenizer for what does not depend on one.
inline std::vector<data::Token> a_token_a_byte(std::string_view text) {
  return {text.begin(), text.end()};
}

/// A directory of one test, emptied at its start and gone after it.
class TaskDirectory {
 public:
  TaskDirectory() : path_(name()) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TaskDirectory() { std::filesystem::remove_all(path_); }
  TaskDirectory(const TaskDirectory&) = delete;
  TaskDirectory& operator=(const TaskDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(std::string_view file, std::string_view bytes) const {
    std::ofstream(path_ / file, std::ios::binary) << bytes;
  }

 private:
  static std::filesystem::path name() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    return std::filesystem::path(testing::TempDir()) /
           (std::string("lookback_") + test->test_suite_name() + "_" + test->name());
  }
  std::filesystem::path path_;
};

}  // namespace lookback::language
