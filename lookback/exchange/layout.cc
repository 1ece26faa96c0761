#include "lookback/exchange/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>

#include "lookback/base/nearest.h"
#include "lookback/base/printable.h"

namespace lookback::exchange {
namespace {

/// Calls f(our index, their index) for every number of a piece.
template <class F>
void for_each_number(const Piece& piece, F f) {
  for (std::size_t r = 0; r < piece.rows; ++r) {
    for (std::size_t c = 0; c < piece.columns; ++c) {
      f(piece.ours.offset + r * piece.ours.row + c * piece.ours.column,
        piece.theirs.offset + r * piece.theirs.row + c * piece.theirs.column);
    }
  }
}

std::size_t number_count(const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  return count;
}

/// Whether the tensor is a contiguous part of our buffer in the same order.
bool is_stretch(const ForeignTensor& tensor) {
  return tensor.pieces.size() == 1 && tensor.pieces[0].rows == 1 &&
         tensor.pieces[0].ours.column == 1 && tensor.pieces[0].theirs.column == 1;
}

/// The numbers of a tensor without pieces.
std::vector<float> constant(const ForeignTensor& tensor) {
  std::vector<float> numbers(number_count(tensor.shape));
  for (std::size_t row = 0; row < tensor.identity; ++row) numbers[row * (tensor.identity + 1)] = 1;
  return numbers;
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

/// Compares bits, not values: both were written from the same number.
bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

Status check_tensor(const ForeignTensor& wanted, const base::SafetensorsFile& file,
                    const std::string& file_name) {
  if (wanted.optional && !file.contains(wanted.name)) return {};
  const Result<base::Tensor> found = file.find(wanted.name);
  if (!found) return found.error();
  if (found->shape != wanted.shape) {
    return Error{fmt::format("{}: tensor '{}': found shape {}, but config.json gives {}", file_name,
                             wanted.name, shape_text(found->shape), shape_text(wanted.shape))};
  }
  const auto finite = [](float number) { return std::isfinite(number); };
  if (!std::ranges::all_of(found->values, finite)) {
    return Error{fmt::format("{}: tensor '{}' holds non-finite values", file_name, wanted.name)};
  }
  if (!wanted.pieces.empty() || std::ranges::equal(found->values, constant(wanted))) return {};
  return Error{fmt::format("{}: tensor '{}' must be {}: the model has no such parameter", file_name,
                           wanted.name, wanted.identity > 0 ? "the identity" : "zero")};
}

Status check_names(const Layout& layout, const base::SafetensorsFile& file,
                   const std::string& file_name,
                   const std::function<bool(std::string_view)>& ignored) {
  std::vector<std::string> known;
  for (const ForeignTensor& tensor : layout) known.push_back(tensor.name);
  const std::set<std::string, std::less<>> wanted(known.begin(), known.end());
  for (const std::string& name : file.names()) {
    if (wanted.contains(name) || ignored(name)) continue;
    const auto meant = base::nearest(name, known);
    return Error{fmt::format("{}: found tensor '{}', which no model of this config.json has{}",
                             file_name, base::printable(name),
                             meant ? "; nearest: '" + *meant + "'" : "")};
  }
  return {};
}

Status check_repetition(const ForeignTensor& tensor, std::span<const float> theirs,
                        std::span<const float> ours, const std::string& file_name) {
  bool equal = true;
  for (const Piece& piece : tensor.pieces) {
    for_each_number(piece, [&](std::size_t our, std::size_t their) {
      equal = equal && same_bits(ours[our], theirs[their]);
    });
  }
  if (equal) return {};
  return Error{
      fmt::format("{}: tensor '{}' differs from '{}', but the model has one parameter for both",
                  file_name, tensor.name, tensor.repeats)};
}

}  // namespace

void LayoutBuilder::add(std::string name, std::vector<std::size_t> shape,
                        std::vector<Piece> pieces) {
  layout_.push_back({std::move(name), std::move(shape), std::move(pieces), 0, {}, false});
}

void LayoutBuilder::zeros(std::string name, std::vector<std::size_t> shape) {
  add(std::move(name), std::move(shape), {});
}

void LayoutBuilder::identity(std::string name, std::vector<std::size_t> shape, std::size_t rows) {
  add(std::move(name), std::move(shape), {});
  last().identity = rows;
}

void LayoutBuilder::same(std::string name, std::vector<std::size_t> shape,
                         std::string_view parameter) {
  const model::ParameterInfo* info = program_.find_parameter(parameter);
  if (info == nullptr) return zeros(std::move(name), std::move(shape));
  add(std::move(name), std::move(shape), {{1, info->size(), {info->offset, 0, 1}, {0, 0, 1}}});
}

void LayoutBuilder::columns_by_head(std::string name, std::size_t heads,
                                    std::vector<std::size_t> shape, std::string_view parameter) {
  const model::ParameterInfo* info = program_.find_parameter(parameter);
  if (info == nullptr) return zeros(std::move(name), std::move(shape));
  const std::size_t width = info->cols / heads;
  std::vector<Piece> pieces;
  for (std::size_t h = 0; h < heads; ++h) {
    pieces.push_back({info->rows,
                      width,
                      {info->offset + h * width, info->cols, 1},
                      {h * info->rows * width, width, 1}});
  }
  add(std::move(name), std::move(shape), std::move(pieces));
}

void LayoutBuilder::transposed(std::string name, std::vector<std::size_t> shape,
                               std::string_view parameter) {
  const model::ParameterInfo* info = program_.find_parameter(parameter);
  if (info == nullptr) return zeros(std::move(name), std::move(shape));
  add(std::move(name), std::move(shape),
      {{info->rows, info->cols, {info->offset, info->cols, 1}, {0, 1, info->rows}}});
}

void LayoutBuilder::side_by_side(std::string name, std::vector<std::size_t> shape,
                                 std::span<const std::string> parameters) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const model::ParameterInfo* info = program_.find_parameter(parameters[i]);
    if (info == nullptr) return zeros(std::move(name), std::move(shape));
    pieces.push_back({info->rows,
                      info->cols,
                      {info->offset, info->cols, 1},
                      {i * info->cols, parameters.size() * info->cols, 1}});
  }
  add(std::move(name), std::move(shape), std::move(pieces));
}

std::vector<base::Tensor> gather(const Layout& layout, std::span<const float> parameters,
                                 std::deque<std::vector<float>>& storage) {
  std::vector<base::Tensor> tensors;
  for (const ForeignTensor& tensor : layout) {
    if (tensor.optional) continue;
    if (is_stretch(tensor)) {
      const Piece& piece = tensor.pieces[0];
      tensors.push_back(
          {tensor.name, tensor.shape, parameters.subspan(piece.ours.offset, piece.columns)});
      continue;
    }
    std::vector<float>& numbers = storage.emplace_back(constant(tensor));
    for (const Piece& piece : tensor.pieces) {
      for_each_number(
          piece, [&](std::size_t ours, std::size_t theirs) { numbers[theirs] = parameters[ours]; });
    }
    tensors.push_back({tensor.name, tensor.shape, numbers});
  }
  return tensors;
}

Result<std::vector<float>> scatter(const Layout& layout, const base::SafetensorsFile& file,
                                   const std::string& file_name, std::size_t size,
                                   const std::function<bool(std::string_view)>& ignored) {
  if (Status known = check_names(layout, file, file_name, ignored); !known) return known.error();
  for (const ForeignTensor& tensor : layout) {
    if (Status fits = check_tensor(tensor, file, file_name); !fits) return fits.error();
  }
  std::vector<float> parameters(size);
  for (const bool repetitions : {false, true}) {  // these need what they repeat
    for (const ForeignTensor& tensor : layout) {
      if (tensor.repeats.empty() == repetitions || !file.contains(tensor.name)) continue;
      const Result<base::Tensor> found = file.find(tensor.name);
      if (!found) return found.error();
      if (repetitions) {
        Status equal = check_repetition(tensor, found->values, parameters, file_name);
        if (!equal) return equal.error();
        continue;
      }
      for (const Piece& piece : tensor.pieces) {
        for_each_number(piece, [&](std::size_t ours, std::size_t theirs) {
          parameters[ours] = found->values[theirs];
        });
      }
    }
  }
  return parameters;
}

}  // namespace lookback::exchange
