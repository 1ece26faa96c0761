// What EleutherAI's lm-evaluation-harness makes of the texts of its tasks before a model sees them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lookback::language {

/// HellaSwag's preprocess (tasks/hellaswag/utils.py): stripped, " [title]" becomes ". ", what stands
/// in brackets on one line goes, and of two spaces one, in one pass.
std::string clean_hellaswag(std::string_view text);

/// The pages of a WikiText file in order, as in EleutherAI's wikitext_document_level: one begins at
/// a line like " = Title = ", whose line it keeps; the newline before that is no page's.
std::vector<std::string_view> wikitext_pages(std::string_view text);

/// A page with the spaces of its tokenization undone (tasks/wikitext/preprocess_wikitext.py).
std::string detokenize_wikitext(std::string_view page);

}  // namespace lookback::language
