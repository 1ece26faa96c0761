// The files that tasks are read from, as texts. `where` names the file in errors, which name the
// line too.
#pragma once

#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/language/task.h"

namespace lookback::language {

/// Lines of {activity_label, ctx_a, ctx_b, endings, label}, as HellaSwag's authors publish them.
Result<std::vector<Document>> parse_hellaswag_json(std::string_view text, std::string_view where);

/// Six lines per item: context with its activity, label, four endings; cleaned like the texts of
/// the JSON form (clean_hellaswag), although the makers of the file already did some of that.
Result<std::vector<Document>> parse_hellaswag_lines(std::string_view text, std::string_view where);

/// Lines of {query, choices, gold}; the query is the whole prompt.
Result<std::vector<Document>> parse_choices(std::string_view text, std::string_view where);

/// Lines of {context, continuation}, the continuation without its space, or of {text}.
Result<std::vector<Document>> parse_last_words(std::string_view text, std::string_view where);

/// A WikiText file: a document a page.
Result<std::vector<Document>> parse_pages(std::string_view text, std::string_view where);

}  // namespace lookback::language
