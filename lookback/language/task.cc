#include "lookback/language/task.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "lookback/base/file.h"
#include "lookback/base/printable.h"
#include "lookback/base/utf8.h"
#include "lookback/language/bzip2.h"
#include "lookback/language/python_text.h"
#include "lookback/language/task_files.h"

namespace lookback::language {
namespace {

constexpr std::size_t most_task_bytes = std::size_t{256} << 20;

constexpr std::string_view all_tasks[] = {"hellaswag", "arc_easy", "arc_challenge", "lambada",
                                          "wikitext"};

/// A file that a task can be read from; if there are several, the first that exists.
struct TaskFile {
  std::string_view task;
  TaskKind kind;
  std::string_view file;
  Result<std::vector<Document>> (*parse)(std::string_view text, std::string_view where);
};

constexpr TaskFile task_files[] = {
    {"hellaswag", TaskKind::multiple_choice, "hellaswag_val.jsonl", parse_hellaswag_json},
    {"hellaswag", TaskKind::multiple_choice, "hellaswag_val.txt.bz2", parse_hellaswag_lines},
    {"arc_easy", TaskKind::multiple_choice, "arc_easy_test.jsonl", parse_choices},
    {"arc_challenge", TaskKind::multiple_choice, "arc_challenge_test.jsonl", parse_choices},
    {"lambada", TaskKind::last_word, "lambada_openai.jsonl", parse_last_words},
    {"wikitext", TaskKind::rolling, "wikitext2_test.raw", parse_pages}};

Result<const TaskFile*> find_task_file(std::string_view name,
                                       const std::filesystem::path& directory) {
  std::vector<std::string_view> missing;
  for (const TaskFile& file : task_files) {
    if (file.task != name) continue;
    const Result<bool> there = base::is_there(directory / file.file);
    if (!there) return there.error();
    if (*there) return &file;
    missing.push_back(file.file);
  }
  if (missing.empty()) {
    return Error{fmt::format("found the task \"{}\", allowed: {}", base::printable(name),
                             fmt::join(all_tasks, ", "))};
  }
  return Error{fmt::format("{}: found no {}, which {} needs", directory.string(),
                           fmt::join(missing, " or "), name),
               ErrorKind::not_found};
}

/// Refuses bytes that are not text, naming the first such line.
Status check_text(std::string_view text, const std::string& where) {
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view here = text.substr(0, end);
    if (!base::count_code_points(here) || here.find('\0') != here.npos) {
      return Error{
          fmt::format("{}:{}: found bytes that are not text, allowed: UTF-8", where, line)};
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

std::span<const std::string_view> task_names() { return all_tasks; }

Result<Task> read_task(std::string_view name, const std::filesystem::path& directory,
                       std::size_t limit) {
  const Result<const TaskFile*> file = find_task_file(name, directory);
  if (!file) return file.error();
  const std::filesystem::path path = directory / (*file)->file;
  Result<std::string> text = base::read_file(path, most_task_bytes);
  if (!text) return text.error();
  DataFile origin = data_file(std::string((*file)->file), *text);
  if (path.extension() == ".bz2") {
    text = decompress_bzip2(std::move(*text), most_task_bytes);
    if (!text) return text.error().at(path.string());
  }
  if (const Status valid = check_text(*text, path.string()); !valid) return valid.error();
  Result<std::vector<Document>> documents = (*file)->parse(*text, path.string());
  if (!documents) return documents.error();
  if (documents->empty()) {
    return Error{
        fmt::format("{}: found no documents, but {} needs at least one", path.string(), name)};
  }
  Task task{std::string(name), (*file)->kind, std::move(*documents), 0, std::move(origin)};
  task.original = task.documents.size();
  if (limit != 0 && limit < task.original) task.documents.resize(limit);
  return task;
}

}  // namespace lookback::language
