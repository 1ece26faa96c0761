// An intervention is data: a list of edits on named activations of one run. One mechanism, the
// Runner, carries them out; every ablation, patch and freeze of the lens is such a list.
//
// Legend: T positions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/math/view.h"
#include "lookback/model/taps.h"

namespace lookback::lens {

/// One change of one activation x. Edits of the same activation are made in the order of the list.
struct Edit {
  enum class Kind {
    set,        ///< x := value
    add,        ///< x := x + value
    multiply,   ///< x := x * value, number by number
    copy,       ///< x := the activation `source` of this very run, of the same head
    copy_mean,  ///< x := the mean of `source` over all its positions, in every row
  };

  std::string activation;                ///< a name of model::activation_names
  std::optional<std::size_t> head = {};  ///< in its layer over all steps; none: every head
  Kind kind = Kind::set;
  math::Matrix<const float> value = {};  ///< but for copies: [T,width], or [1,width] for all rows
  std::string source = {};               ///< copy, copy_mean: must be computed before x
  std::size_t first_row = 0;             ///< positions first_row .. end_row - 1 are changed
  std::size_t end_row = static_cast<std::size_t>(-1);  ///< at most T; the default means T
};

using Edits = std::vector<Edit>;

/// x := value, at all positions.
Edit set(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value);
/// x := x + value, at all positions.
Edit add(std::string activation, std::optional<std::size_t> head, math::Matrix<const float> value);
/// x := `source` of the same run (copy), or its mean (copy_mean), at all positions.
Edit copy(Edit::Kind kind, std::string activation, std::optional<std::size_t> head,
          std::string source);

/// The number of the first step that has to be run again when the activation, of this head or of
/// all, is to be seen or changed. Errors: a name that the program does not have (with the nearest
/// one it has), a head that the activation does not have.
Result<std::size_t> first_step(const model::Program& program, const std::string& activation,
                               std::optional<std::size_t> head);

/// The same for all of `edits` together, with what they copy from; of none, the number of all steps.
Result<std::size_t> first_step(const model::Program& program, const Edits& edits);

/// The numbers of the lists, those that begin latest in the model first: the order in which a Runner
/// has least to run again.
Result<std::vector<std::size_t>> latest_first(const model::Program& program,
                                              const std::vector<Edits>& lists);

/// Columns that the activation has at `length` positions. REQUIRES that first_step accepts the name.
std::size_t activation_width(const model::Program& program, const std::string& activation,
                             std::size_t length);

/// Whether an edit can be made in a run of `length` positions. Errors: as first_step; a value of
/// another shape; rows beyond the sequence; a source that is not there yet or has another width.
Status check(const model::Program& program, std::size_t length, const Edit& edit);

/// Makes the edit on x, the whole of its activation, given its source (copy, copy_mean) [T,width].
/// REQUIRES a checked edit.
void apply(const Edit& edit, math::Matrix<const float> source, math::Matrix<float> x);

}  // namespace lookback::lens
