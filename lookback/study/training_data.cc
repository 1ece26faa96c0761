#include "lookback/study/training_data.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "lookback/base/checksum.h"
#include "lookback/base/file.h"
#include "lookback/base/json_access.h"
#include "lookback/base/json_file.h"
#include "lookback/base/printable.h"
#include "lookback/language/data_file.h"
#include "lookback/language/token_windows.h"

namespace lookback::study {
namespace {

/// A checksum as data.json writes it.
std::string hex_digits(std::uint64_t checksum) { return fmt::format("{:016x}", checksum); }

Result<std::shared_ptr<const language::TokenFile>> open_tokens(const std::filesystem::path& file) {
  Result<language::TokenFile> opened = language::TokenFile::open(file);
  if (!opened) return opened.error();
  return std::make_shared<const language::TokenFile>(std::move(*opened));
}

/// The one directory of the arms that learn from text; nothing if none does.
Result<std::optional<std::string>> directory_of(const Study& study) {
  std::optional<std::string> directory;
  for (const RunConfig& arm : study.arms) {
    if (!arm.data.is_text()) continue;
    const std::string& own = arm.data.directory;
    if (directory && own != *directory) {
      return Error{fmt::format(
          "data.directory: arm '{}' has its own, allowed: one for all arms of a study", arm.arm)};
    }
    directory = own;
  }
  return directory;
}

/// What a data.json says about its texts.
std::optional<TextSources> sources_of(const nlohmann::json& data) {
  TextSources sources;
  for (const nlohmann::json& source : base::find_array(data, {"sources"})) {
    const std::string checksum = base::find_text(source, {"file_sha256"});
    if (checksum.empty()) return std::nullopt;
    ++sources.files;
    if (language::get_data_path(checksum)) ++sources.verified;
  }
  return sources;
}

/// Reads the data.json of a directory whose tokens are open.
Status read_data_json(Text& text) {
  const std::filesystem::path file = text.directory / "data.json";
  Result<std::string> bytes = base::read_file(file, base::largest_json);
  if (!bytes) return bytes.error();
  const nlohmann::json data = base::parse_json(*bytes);
  for (const auto& [part, tokens] :
       {std::pair("train", text.train), std::pair("validation", text.validation)}) {
    const std::string found = base::find_text(data, {part, "tokens_checksum"});
    const std::string made = hex_digits(tokens->header().tokens_checksum);
    if (found == made) continue;
    return Error{fmt::format(
        "{}: found \"{}\" as tokens_checksum of {}, allowed: {}, the checksum of {}.tokens",
        file.string(), base::printable(found, 40), part, made, part)};
  }
  text.sources = sources_of(data);
  text.data_json = std::move(*bytes);
  return {};
}

Result<Text> open_text_of(const RunConfig& config) {
  if (config.data.directory.empty()) {
    return Error{
        "data.directory is not set; pass --data DIR, a directory made by `lookback tokens "
        "prepare`"};
  }
  Result<Text> text = open_text(config.data.directory);
  if (!text) return text;
  Status status = check_text(*text, config);
  return status ? std::move(text) : Result<Text>(status.error());
}

}  // namespace

Result<Text> open_text(const std::filesystem::path& directory) {
  const Result<bool> there = base::is_there(directory / "train.tokens");
  if (!there) return there.error();
  if (!*there) {
    return Error{fmt::format("{}: found no train.tokens in it, allowed: a directory that `lookback "
                             "tokens prepare` made",
                             directory.string()),
                 ErrorKind::not_found};
  }
  Text text;
  auto train = open_tokens(directory / "train.tokens");
  if (!train) return train.error();
  auto validation = open_tokens(directory / "validation.tokens");
  if (!validation) return validation.error();
  text.train = std::move(*train);
  text.validation = std::move(*validation);
  const language::TokenFileHeader& header = text.train->header();
  const language::TokenFileHeader& other = text.validation->header();
  const Result<std::string> bytes =
      base::read_file(directory / "tokenizer.json", base::largest_json);
  if (!bytes) return bytes.error();
  const base::Bytes tokenizer = base::bytes_of(*bytes);
  text.tokenizer_checksum = base::checksum({&tokenizer, 1});
  if (header.tokenizer_checksum != other.tokenizer_checksum ||
      header.tokenizer_checksum != text.tokenizer_checksum) {
    return Error{fmt::format(
        "{}: its tokens were not made with the tokenizer.json beside them; prepare both "
        "together",
        directory.string())};
  }
  text.directory = directory;
  const std::uint64_t both[] = {header.tokens_checksum, other.tokens_checksum};
  text.checksum = base::checksum_text({std::as_bytes(std::span(both))});
  if (Status read = read_data_json(text); !read) return read.error();
  return text;
}

nlohmann::json to_json(const Text& text) {
  nlohmann::json json = {{"tokens_checksum", text.checksum},
                         {"tokenizer_checksum", hex_digits(text.tokenizer_checksum)},
                         {"files", nullptr},
                         {"verified", nullptr}};
  if (text.sources) {
    json["files"] = text.sources->files;
    json["verified"] = text.sources->verified;
  }
  return json;
}

Status check_text(const Text& text, const RunConfig& config) {
  const std::size_t known = config.architecture.vocabulary;
  if (text.train->vocabulary() > known) {
    return Error{
        fmt::format("{}: found tokens of a vocabulary of {}, allowed: model.vocabulary = {}",
                    text.directory.string(), text.train->vocabulary(), known)};
  }
  for (const auto& [file, name] :
       {std::pair(text.train, "train.tokens"), std::pair(text.validation, "validation.tokens")}) {
    if (Status fits = language::check_windows(*file, config.data.length); !fits) {
      return fits.error().at((text.directory / name).string());
    }
  }
  const std::string& asked = config.data.task.text("checksum");
  if (asked.empty() || asked == text.checksum) return {};
  return Error{
      fmt::format("{}: found tokens with checksum {}, allowed: data.checksum = {}, the tokens that "
                  "this study was made with",
                  text.directory.string(), text.checksum, asked)};
}

Result<TrainingData> open_training_data(const RunConfig& config) {
  TrainingData data;
  if (!config.data.is_text()) {
    Result<std::unique_ptr<data::Task>> task = training_task(config);
    if (!task) return task.error();
    data.source = std::move(*task);
    return data;
  }
  Result<Text> text = open_text_of(config);
  if (!text) return text.error();
  data.text = std::move(*text);
  data.source = std::make_unique<language::ShuffledWindows>(data.text->train, config.data.length,
                                                            config.seed);
  const double share = config.data.task.number("repeats");
  if (share > 0) {
    const auto [first, last] = config.data.task.range("period");
    const language::RepeatedWindows::Repeats repeats{share, static_cast<std::size_t>(first),
                                                     static_cast<std::size_t>(last)};
    data.source =
        std::make_unique<language::RepeatedWindows>(std::move(data.source), repeats, config.seed);
  }
  return data;
}

Result<Study> read_study_and_text(const std::string& path, const Overrides& overrides) {
  Overrides as_written = overrides;  // what does not learn from text has no key for a directory
  as_written.directory.reset();
  Result<Study> study = read_study(path, as_written);
  if (!study) return study;
  const Result<std::optional<std::string>> directory = directory_of(*study);
  if (!directory) return directory.error().at(path);
  if (!*directory) {
    if (!overrides.directory) return study;
    return Error{fmt::format("--data: {} does not learn from text", path)};
  }
  Overrides with_text = overrides;
  for (RunConfig& arm : study->arms) {
    if (!arm.data.is_text()) continue;
    if (overrides.directory) arm.data.directory = *overrides.directory;
    const Result<Text> text = open_text_of(arm);
    if (!text) return text.error().at(fmt::format("{}: arm '{}'", path, arm.arm));
    with_text.checksum = text->checksum;
  }
  return read_study(path, with_text);
}

}  // namespace lookback::study
