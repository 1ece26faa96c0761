// Any bytes as the file of an evaluation task or of its results: refused in one line, or made into
// documents that can be put to a model.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "lookback/base/json_file.h"
#include "lookback/base/utf8.h"
#include "lookback/language/task_files.h"
#include "lookback/language/task_results.h"
#include "lookback/language/task_score.h"

namespace lookback::fuzz {
namespace {

using language::Answer;
using language::TaskKind;
using language::Window;

constexpr std::size_t context = 8;
constexpr data::Token end_of_text = 256;

struct Form {
  TaskKind kind;
  Result<std::vector<language::Document>> (*parse)(std::string_view text, std::string_view where);
};

constexpr Form forms[] = {{TaskKind::multiple_choice, language::parse_hellaswag_json},
                          {TaskKind::multiple_choice, language::parse_choices},
                          {TaskKind::multiple_choice, language::parse_hellaswag_lines},
                          {TaskKind::last_word, language::parse_last_words},
                          {TaskKind::rolling, language::parse_pages}};

/// A token a byte.
std::vector<data::Token> encode(std::string_view text) {
  std::vector<data::Token> tokens;
  for (const char byte : text) tokens.push_back(static_cast<unsigned char>(byte));
  return tokens;
}

Result<std::vector<Answer>> answer(std::span<const Window> windows) {
  for (const Window& window : windows) {
    require(window.scored > 0 && window.scored < window.tokens.size());
    require(window.tokens.size() <= context + 1);
  }
  return std::vector<Answer>(windows.size(), {-1, true});
}

/// As read_task() does, which refuses what is no UTF-8 before it parses.
void feed_task(const Form& form, std::string_view text) {
  if (!base::count_code_points(text)) return;
  auto documents = form.parse(text, "fuzz");
  if (!documents) return require(is_one_line(documents.error().message));
  const std::size_t count = documents->size();
  for (const language::Document& document : *documents) {
    require(document.gold < document.requests.size());
    for (const auto& request : document.requests) require(!request.continuation.empty());
  }
  const language::Task task{"fuzz", form.kind, std::move(*documents), count};
  const auto score = language::evaluate_task(task, encode, context, end_of_text, answer);
  if (!score) return require(is_one_line(score.error().message));
  require(score->documents == count);
}

void feed_results(std::string_view text) {
  const auto read = language::parse_task_results(base::parse_json(text));
  if (!read) return require(is_one_line(read.error().message));
  const auto again = language::parse_task_results(to_json(*read));
  require(again && again->tasks == read->tasks && again->config == read->config);
}

/// One input: its first byte says what the others are.
void feed(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t form = static_cast<unsigned char>(bytes[0]) % (std::size(forms) + 1);
  bytes.remove_prefix(1);
  if (form == std::size(forms)) return feed_results(bytes);
  feed_task(forms[form], bytes);
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
