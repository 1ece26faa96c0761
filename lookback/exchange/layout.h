// Where each number of another program's tensors is in our flat parameter buffer. One table serves
// both directions: an export reads through it, an import writes through it.
//
// Legend: V tokens, D = d_model, H heads, E = d_head.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/safetensors.h"
#include "lookback/model/program.h"

namespace lookback::exchange {

/// Number (r, c) of a matrix is at offset + r * row + c * column.
struct Place {
  std::size_t offset = 0;
  std::size_t row = 0;
  std::size_t column = 1;
};

/// A matrix that both sides have, each in its own order. `ours` counts from the start of the
/// parameter buffer, `theirs` from the start of the tensor.
struct Piece {
  std::size_t rows = 0;
  std::size_t columns = 0;
  Place ours;
  Place theirs;
};

struct ForeignTensor {
  std::string name;
  std::vector<std::size_t> shape;
  std::vector<Piece> pieces;  ///< they tile the tensor; none: it is a constant
  std::size_t identity = 0;   ///< of a constant: the identity of so many rows; 0: zero throughout
  std::string repeats;        ///< the tensor that holds the same parameter: an import compares
  bool optional = false;      ///< an export leaves it out, an import need not find it
};

using Layout = std::vector<ForeignTensor>;

/// Builds the Layout of one program. A parameter that the program does not have is zeros.
class LayoutBuilder {
 public:
  explicit LayoutBuilder(const model::Program& program) : program_(program) {}

  /// The same numbers in the same order, in a tensor of any shape.
  void same(std::string name, std::vector<std::size_t> shape, std::string_view parameter);
  /// Ours [D,H*E], theirs [H,D,E].
  void columns_by_head(std::string name, std::size_t heads, std::vector<std::size_t> shape,
                       std::string_view parameter);
  /// Ours [R,C], theirs [C,R].
  void transposed(std::string name, std::vector<std::size_t> shape, std::string_view parameter);
  /// Ours several [R,C], theirs one [R,n*C] ([n*C] for vectors). Either all exist or none.
  void side_by_side(std::string name, std::vector<std::size_t> shape,
                    std::span<const std::string> parameters);
  void zeros(std::string name, std::vector<std::size_t> shape);
  /// The identity of `rows` rows, in a tensor of any shape.
  void identity(std::string name, std::vector<std::size_t> shape, std::size_t rows);

  /// The tensor added last, to set its flags.
  ForeignTensor& last() { return layout_.back(); }
  Layout take() { return std::move(layout_); }

 private:
  void add(std::string name, std::vector<std::size_t> shape, std::vector<Piece> pieces);

  const model::Program& program_;
  Layout layout_;
};

/// The tensors to write. Those in our own order view `parameters`, the others `storage`; both must
/// outlive the result.
std::vector<base::Tensor> gather(const Layout& layout, std::span<const float> parameters,
                                 std::deque<std::vector<float>>& storage);

/// A parameter buffer of `size` numbers from a file's tensors. All names and shapes are checked
/// against the layout before anything is allocated. Errors, one line with `file_name`: a tensor is
/// missing, has another shape or dtype or non-finite numbers; is not the constant or the repetition
/// that the layout says; or is in the file but neither in the layout nor `ignored`.
Result<std::vector<float>> scatter(const Layout& layout, const base::SafetensorsFile& file,
                                   const std::string& file_name, std::size_t size,
                                   const std::function<bool(std::string_view)>& ignored);

}  // namespace lookback::exchange
