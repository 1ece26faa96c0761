// An inspection (inspection.json and inspection.safetensors of a run), read for the page.
#pragma once

#include <cstddef>
#include <filesystem>

#include "lookback/base/result.h"
#include "lookback/report/lens_result.h"

namespace lookback::report {

/// The most tokens V of which a page shows circuits as whole matrices.
inline constexpr std::size_t most_matrix_tokens = 512;
/// The most circuits of one model whose matrices are read: direct ones first.
inline constexpr std::size_t most_matrices = 24;

/// The most bytes of one text (a reason, a name, a line of what was skipped) that are read, and the
/// most lines of what was skipped; truncated text ends in an ellipsis, truncated lists in a line
/// that counts the rest.
inline constexpr std::size_t most_text_bytes = 4000;
inline constexpr std::size_t most_skipped_lines = 100;

/// Reads DIR/inspection.json and the matrices in DIR/inspection.safetensors. Neither is trusted:
/// sizes are checked before they are used, an item without a drawable number is skipped, an
/// interval that is not two finite numbers in ascending order is unknown, and a circuit may lack
/// its matrix. Errors, in one line with file and key: not a JSON object, another format, an array
/// or a head of the wrong kind; an unreadable file of arrays, if there is one.
Result<LensResult> load_inspection(const std::filesystem::path& directory);

}  // namespace lookback::report
