#include "lookback/language/read_tokenizer.h"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/json_file.h"
#include "lookback/language/gpt2_files.h"
#include "lookback/language/tiktoken_file.h"
#include "lookback/language/tokenizer_json.h"

namespace lookback::language {
namespace {

namespace fs = std::filesystem;

struct FilePair {
  const char* merges;
  const char* encoder;
};
constexpr std::array<FilePair, 2> file_pairs{
    {{"vocab.bpe", "encoder.json"}, {"merges.txt", "vocab.json"}}};

Result<Tokenizer> named(const fs::path& path, Result<Vocabulary> vocabulary) {
  if (!vocabulary) return vocabulary.error().at(path.string());
  Result<Tokenizer> tokenizer = Tokenizer::make(std::move(*vocabulary));
  if (!tokenizer) return tokenizer.error().at(path.string());
  return tokenizer;
}

Result<Tokenizer> read_pair(const fs::path& directory, const FilePair& pair) {
  const Result<std::string> merges = base::read_file(directory / pair.merges, base::largest_json);
  if (!merges) return merges.error();
  const Result<std::string> encoder = base::read_file(directory / pair.encoder, base::largest_json);
  if (!encoder) return encoder.error();
  return named(directory / pair.merges, parse_gpt2_files(*merges, *encoder));
}

Result<Tokenizer> read_single(const fs::path& path,
                              const std::function<Result<Vocabulary>(std::string_view)>& parse) {
  const Result<std::string> text = base::read_file(path, base::largest_json);
  if (!text) return text.error();
  return named(path, parse(*text));
}

Result<Tokenizer> read_directory(const fs::path& directory) {
  const Result<bool> single = base::is_there(directory / "tokenizer.json");
  if (!single) return single.error();
  if (*single) return read_single(directory / "tokenizer.json", parse_tokenizer_json);
  for (const FilePair& pair : file_pairs) {
    const Result<bool> there = base::is_there(directory / pair.merges);
    if (!there) return there.error();
    if (*there) return read_pair(directory, pair);
  }
  return Error{
      fmt::format("{}: found no tokenizer, allowed: tokenizer.json, or vocab.bpe and encoder.json",
                  directory.string())};
}

}  // namespace

Result<Tokenizer> read_tokenizer(const fs::path& path) {
  const Result<fs::file_status> status = base::status_of(path);
  if (!status) return status.error();
  if (fs::is_directory(*status)) return read_directory(path);
  const std::string name = path.filename().string();
  for (const FilePair& pair : file_pairs) {
    if (name == pair.merges || name == pair.encoder) return read_pair(path.parent_path(), pair);
  }
  if (path.extension() == ".tiktoken") return read_single(path, parse_tiktoken);
  if (path.extension() == ".json") return read_single(path, parse_tokenizer_json);
  return Error{
      fmt::format("{}: not a tokenizer, allowed: a directory, tokenizer.json, vocab.bpe "
                  "beside encoder.json, or a .tiktoken file",
                  path.string())};
}

Status write_tokenizer(const fs::path& path, const Tokenizer& tokenizer) {
  return base::write_json_text(path, to_tokenizer_json(tokenizer.vocabulary()));
}

}  // namespace lookback::language
