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
/// most lines of what was skipped; what was cut ends in an ellipsis, or in a line that counts the rest.
inline constexpr std::size_t most_text_bytes = 4000;
inline constexpr std::size_t most_skipped_lines = 100;

/// Reads DIR/inspection.json and the matrices in DIR/inspection.safetensors. Neither is trusted: sizes are
/// checked before they are used, an item without a number that can be drawn is passed over, an
/// interval that is not two finite numbers in their order is not known, and a matrix that is not there leaves its circuit without one. Errors, in one line with file and key:
/// no JSON object, another format, an array or a head of the wrong kind; a file of arrays, if there
/// is one, that cannot be read.
Result<LensResult> load_inspection(const std::filesystem::path& directory);

}  // namespace lookback::report
