// A text that is made up, as `lookback tokens prepare` writes it, and a study that learns from it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "lookback/language/prepare.h"
#include "lookback/study/study_file.h"
#include "tests/base/temporary_directory.h"

namespace lookback::study::spec {

/// V of a tokenizer of bytes alone and <|endoftext|>.
inline constexpr std::size_t byte_vocabulary = 257;

inline language::Tokenizer byte_tokenizer() {
  language::Vocabulary vocabulary = language::bytes_alone();
  language::append_special(vocabulary, language::end_of_text);
  return *language::Tokenizer::make(vocabulary);
}

/// Paragraphs of a few words over and over, without a pattern; another `which` is another text.
inline std::string made_up_text(std::size_t paragraphs, std::size_t which = 0) {
  static constexpr const char* words[] = {"one", "sea", "and", "ship", "the", "old", "went", "by"};
  std::string text;
  std::size_t state = 12345 + which;
  for (std::size_t paragraph = 0; paragraph < paragraphs; ++paragraph) {
    for (std::size_t word = 0; word < 12; ++word) {
      state = (state * 1103515245 + 12345) % 2147483648;
      text += words[state / 65536 % 8];
      text += word == 11 ? ".\n\n" : " ";
    }
  }
  return text;
}

/// Prepares it below `directory` as NAME; gives the path.
inline std::filesystem::path prepare_text(const test::TemporaryDirectory& directory,
                                          const std::string& name, const std::string& text) {
  std::ofstream(directory / (name + ".txt"), std::ios::binary) << text;
  const auto prepared = language::prepare_tokens(
      {directory / (name + ".txt")}, byte_tokenizer(), directory / name,
      {.documents = language::DocumentKind::paragraphs, .validation_share = 0.2});
  EXPECT_TRUE(prepared) << prepared.error().message;
  return directory / name;
}

/// Two arms that learn from the text of a directory, or from one that is not said.
inline std::string text_study(const std::string& text_directory,
                              const std::string& more_data = "") {
  return fmt::format(
      R"(name = "text"
question = "Does it read?"
[model]
vocabulary = 257
context = 32
d_model = 16
d_head = 8
heads = 2
positions = "rotary"
[data]
kind = "tokens"
{}period = [3, 8]
{}[train]
tokens = 2560
batch_tokens = 256
shards = 4
[evaluate]
sequences = 4
windows = 8
inspect = false
[[arm]]
name = "ov"
[[arm]]
name = "no-ov"
[arm.model]
no_ov = true
)",
      text_directory.empty() ? "" : fmt::format("directory = \"{}\"\n", text_directory), more_data);
}

}  // namespace lookback::study::spec
