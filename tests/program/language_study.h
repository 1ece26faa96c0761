// A study of two arms that learned from a made-up text: made once by the program, for many tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/program/process.h"

namespace lookback::program::spec {

/// Fails the test where it cannot be read.
std::string text_of_file(const std::string& path);
nlohmann::json json_of(const std::string& path);

/// Below one directory: books.txt, tokenizer.json (V 280), books/ (prepared), study.toml (V 282, T 32)
/// and study/, which has ended.
class LanguageStudy : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string path(const std::string& name) { return *directory_ / name; }
  static std::string run(const std::string& arm = "ov") { return path("study/" + arm + "/seed-0"); }

 private:
  static std::unique_ptr<test::TemporaryDirectory> directory_;
};

}  // namespace lookback::program::spec
