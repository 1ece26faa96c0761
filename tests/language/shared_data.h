// Texts and vocabularies that are not part of the project: tests that use them are skipped where
// they are not.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "lookback/base/file.h"
#include "lookback/language/read_tokenizer.h"

namespace lookback::language::spec {

/// LOOKBACK_DATA in the environment, else ../shared/data beside the project.
inline std::filesystem::path shared_data(const std::string& name) {
  const char* named = std::getenv("LOOKBACK_DATA");
  const std::filesystem::path folder =
      named != nullptr ? std::filesystem::path(named)
                       : std::filesystem::path(LOOKBACK_SOURCE_DIR) / "../shared/data";
  return folder / name;
}

inline bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

inline std::string contents(const std::filesystem::path& path) {
  Result<std::string> text = base::read_file(path, std::size_t{1} << 32);
  if (!text) ADD_FAILURE() << text.error().message;
  return text ? std::move(*text) : std::string();
}

/// A test with GPT-2's tokenizer, and with the texts beside it.
class WithGpt2 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_there(shared_data("tokenizer"))) {
      GTEST_SKIP() << "GPT-2's tokenizer is not there: LOOKBACK_DATA names the folder with it";
    }
    Result<Tokenizer> read = read_tokenizer(shared_data("tokenizer"));
    ASSERT_TRUE(read) << read.error().message;
    gpt2_.emplace(std::move(*read));
  }

  const Tokenizer& gpt2() const { return *gpt2_; }

 private:
  std::optional<Tokenizer> gpt2_;
};

}  // namespace lookback::language::spec
