#include "lookback/cli/find_tokenizer.h"

#include <fmt/format.h>

#include "lookback/base/file.h"
#include "lookback/language/read_tokenizer.h"

namespace lookback::cli {

Result<language::Tokenizer> find_tokenizer(const std::string& asked,
                                           const std::filesystem::path& checkpoint,
                                           std::size_t vocabulary) {
  std::filesystem::path place = asked;
  if (asked.empty()) {
    place = std::filesystem::absolute(checkpoint).parent_path().parent_path() / "tokenizer.json";
    const Result<bool> there = base::is_there(place);
    if (!there) return there.error();
    if (!*there) {
      return Error{
          fmt::format("{}: found no tokenizer.json beside its checkpoints, name one with "
                      "--tokenizer",
                      checkpoint.string())};
    }
  }
  Result<language::Tokenizer> tokenizer = language::read_tokenizer(place);
  if (!tokenizer || tokenizer->size() <= vocabulary) return tokenizer;
  return Error{fmt::format("{}: found {} tokens, allowed: at most {}, the model's vocabulary",
                           place.string(), tokenizer->size(), vocabulary)};
}

}  // namespace lookback::cli
