// What a run learns from: repeated blocks, or the text of a directory that `lookback tokens prepare`
// made.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/language/token_file.h"
#include "lookback/study/run_config.h"
#include "lookback/study/study_file.h"

namespace lookback::study {

/// The files of text that a prepared directory was made of, as its data.json says.
struct TextSources {
  std::size_t files = 0;
  std::size_t verified = 0;  ///< of them, by their checksums, files that scripts/get-data verifies
};

/// The files of a prepared directory, open.
struct Text {
  std::shared_ptr<const language::TokenFile> train, validation;
  std::filesystem::path directory;       ///< theirs, with their tokenizer.json
  std::string checksum;                  ///< of the tokens of both files: 16 hexadecimal digits
  std::uint64_t tokenizer_checksum = 0;  ///< of the tokenizer.json that made them
  std::string data_json;                 ///< all of theirs: which files they were made of
  /// None if data.json was written before it had the checksums of its files.
  std::optional<TextSources> sources;
};

/// {"tokens_checksum", "tokenizer_checksum", "files", "verified"}, the last two null if unknown.
nlohmann::json to_json(const Text& text);

/// Opens a prepared directory. Errors: files that are missing, truncated or of another kind, files
/// that were not made with the tokenizer.json beside them, and a data.json for other tokens.
Result<Text> open_text(const std::filesystem::path& directory);

/// Whether a run can learn from it: tokens that the model knows, enough of them for a window, and
/// the checksum of the configuration if that has one.
Status check_text(const Text& text, const RunConfig& config);

/// What a run learns from. Its text is null if it learns from repeated blocks.
struct TrainingData {
  std::unique_ptr<data::TokenSource> source;
  std::optional<Text> text;
};

/// Errors: those of open_text and check_text; no directory to read text from.
Result<TrainingData> open_training_data(const RunConfig& config);

/// Reads a study file (study_file.h) and, if its runs learn from text, finds the text: with its
/// checksum in the study, a run is the same wherever the files are. Errors: also those of
/// open_text.
Result<Study> read_study_and_text(const std::string& path, const Overrides& overrides);

}  // namespace lookback::study
