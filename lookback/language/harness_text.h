// How EleutherAI's lm-evaluation-harness preprocesses the texts of its tasks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lookback::language {

/// HellaSwag's preprocess (tasks/hellaswag/utils.py): stripped, " [title]" becomes ". ", text in
/// brackets on one line is removed, and two spaces become one, in one pass.
std::string clean_hellaswag(std::string_view text);

/// The pages of a WikiText file in order, as in EleutherAI's wikitext_document_level: a page begins
/// with a line like " = Title = ", which it keeps; the newline before that belongs to no page.
std::vector<std::string_view> wikitext_pages(std::string_view text);

/// A page with the spaces of its tokenization undone (tasks/wikitext/preprocess_wikitext.py).
std::string detokenize_wikitext(std::string_view page);

}  // namespace lookback::language
