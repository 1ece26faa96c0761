#include "lookback/cli/find_tokenizer.h"

#include <fmt/format.h>

#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/language/read_tokenizer.h"
#include "lookback/language/tokenizer_json.h"

namespace lookback::cli {
namespace {

namespace fs = std::filesystem;

std::string checksum_of(const language::Tokenizer& tokenizer) {
  return fmt::format("{:016x}", language::tokenizer_checksum(tokenizer.vocabulary()));
}

/// The tokenizer.json of the run in whose directory a checkpoint is, if it exists.
Result<std::optional<fs::path>> place_in_run(const fs::path& checkpoint) {
  fs::path place = fs::absolute(checkpoint).parent_path().parent_path() / "tokenizer.json";
  const Result<bool> there = base::is_there(place);
  if (!there) return there.error();
  return *there ? std::optional(std::move(place)) : std::nullopt;
}

/// The tokenizer that the model was trained with, as far as the checkpoint or its run says.
struct Expected {
  std::string checksum;
  fs::path said_by;
};

Result<std::optional<Expected>> expected_of(const fs::path& checkpoint,
                                            const study::SavedModel& model,
                                            const std::optional<fs::path>& in_run) {
  if (!model.header.tokenizer.empty()) {
    return std::optional(Expected{model.header.tokenizer, checkpoint});
  }
  if (!in_run) return std::optional<Expected>();
  const Result<language::Tokenizer> own = language::read_tokenizer(*in_run);
  if (!own) return own.error();
  return std::optional(Expected{checksum_of(*own), *in_run});
}

}  // namespace

Result<std::optional<language::Tokenizer>> find_any_tokenizer(const std::string& asked,
                                                              const fs::path& checkpoint,
                                                              const study::SavedModel& model) {
  const Result<std::optional<fs::path>> found_in_run = place_in_run(checkpoint);
  if (!found_in_run) return found_in_run.error();
  const std::optional<fs::path>& in_run = *found_in_run;
  if (asked.empty() && !in_run) return std::optional<language::Tokenizer>();
  const fs::path place = asked.empty() ? *in_run : fs::path(asked);
  Result<language::Tokenizer> tokenizer = language::read_tokenizer(place);
  if (!tokenizer) return tokenizer.error();
  const Result<std::optional<Expected>> expected = expected_of(checkpoint, model, in_run);
  if (!expected) return expected.error();
  if (const std::string found = checksum_of(*tokenizer);
      *expected && found != (*expected)->checksum) {
    return Error{fmt::format(
        "{}: this is not the tokenizer that the model was trained with: its checksum is {}, but {} "
        "names {}",
        place.string(), found, (*expected)->said_by.string(),
        base::printable((*expected)->checksum))};
  }
  const std::size_t vocabulary = model.program.architecture.vocabulary;
  if (tokenizer->size() <= vocabulary) return std::optional(std::move(*tokenizer));
  return Error{fmt::format("{}: found {} tokens, allowed: at most {}, the model's vocabulary",
                           place.string(), tokenizer->size(), vocabulary)};
}

Result<language::Tokenizer> find_tokenizer(const std::string& asked, const fs::path& checkpoint,
                                           const study::SavedModel& model) {
  Result<std::optional<language::Tokenizer>> found = find_any_tokenizer(asked, checkpoint, model);
  if (!found) return found.error();
  if (*found) return std::move(**found);
  if (!model.config.data.is_text()) {
    return Error{fmt::format("{}: this model was trained on {}, not on text", checkpoint.string(),
                             model.config.data.task.kind)};
  }
  return Error{
      fmt::format("{}: found no tokenizer.json beside its checkpoints; name one with --tokenizer",
                  checkpoint.string())};
}

}  // namespace lookback::cli
