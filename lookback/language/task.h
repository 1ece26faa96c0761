// The evaluation tasks of the article's table, with the prompts of EleutherAI's
// lm-evaluation-harness.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/data_file.h"

namespace lookback::language {

/// How probable is `continuation` after `context`? An empty context means the start of a text.
struct Request {
  std::string context;
  std::string continuation;  ///< never empty

  bool operator==(const Request&) const = default;
};

/// One item of a task.
struct Document {
  std::vector<Request> requests;  ///< a choice each; otherwise one
  std::size_t gold = 0;           ///< multiple choice: the right one, below requests.size()
  std::size_t words = 0;          ///< rolling: of the original page, as Python's \s+ splits it
  std::size_t bytes = 0;          ///< rolling: of the original page
};

enum class TaskKind {
  multiple_choice,  ///< continuations " " + choice of one context
  last_word,        ///< the continuation " " + the last word of a text
  rolling,          ///< all of a page, without context
};

struct Task {
  std::string name;
  TaskKind kind = TaskKind::multiple_choice;
  std::vector<Document> documents;
  std::size_t original = 0;  ///< documents there are, of which `documents` are the first
  DataFile file = {};        ///< that it was read from
};

/// "hellaswag", "arc_easy", "arc_challenge", "lambada", "wikitext".
std::span<const std::string_view> task_names();

/// The first `limit` documents of a task (0: all), read from the first of its files that is there:
///   hellaswag      hellaswag_val.jsonl    {activity_label, ctx_a, ctx_b, endings, label}
///                  hellaswag_val.txt.bz2  lines of context, label and four endings
///   arc_easy       arc_easy_test.jsonl    {query, choices, gold}; the query is the whole prompt
///   arc_challenge  arc_challenge_test.jsonl
///   lambada        lambada_openai.jsonl   {context, continuation}, or {text} to split at the last
///                                         space
///   wikitext       wikitext2_test.raw     pages, each under a line " = Title = "
/// Errors, which name the file and the line: an unknown task; no such file, or one over 256 MiB; no
/// documents; what is not UTF-8, not JSON, or lacks a field. All documents are checked, also those
/// beyond the limit.
Result<Task> read_task(std::string_view name, const std::filesystem::path& directory,
                       std::size_t limit = 0);

}  // namespace lookback::language
