// The charts of what the lens found in one model: pure functions from plain numbers to Vega-Lite
// specifications that carry their data, as in figures.h.
//
// A specification with {"usermeta": {"square": true}} is drawn as high as it is wide.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lookback/report/lens_result.h"

namespace lookback::report {

/// One bar: its row, and within the row the kind of change, which determines the shape at its end.
struct LensBar {
  std::string row;
  std::string change;
  LensValue value;
};

/// The range of an axis of values; it always includes 0.
struct LensRange {
  double low = 0, high = 0;
  void add(const LensValue& value);  ///< with its interval of 95%, where there is one
};

/// Horizontal bars, grouped by row in the order given, with rules for the 95% intervals: a bar with
/// an unknown interval has none, and its row has no "low" and "high".
nlohmann::json lens_bars_figure(std::string_view description, std::string_view value_title,
                                std::span<const LensBar> bars, const LensRange& range);

/// Eigenvalues in the complex plane, square. The angle is unchanged; the radius is max(0, 1 +
/// log10(|l| / largest) / 2), so that two powers of ten are visible, with circles at the largest
/// |l| and at a tenth of it.
nlohmann::json eigenvalues_figure(const LensCircuit& circuit);

/// Scores of every pair as a heat map: a row for each head that writes, a column for each input of
/// a head that reads. Color follows the score over that of random matrices.
nlohmann::json composition_figure(std::span<const LensComposition> pairs);

/// What patching restores, with a row per head and a column per position (`patches` are of one
/// activation); the positions of the change and of the query are marked. Color is clamped to [-1,
/// 1].
nlohmann::json patching_figure(std::span<const LensPatch> patches, const LensPatching& patching);

/// Scores of positions alone of one head against the offset; `range` is that of all heads shown.
nlohmann::json positional_figure(const LensPositional& head, const LensRange& range);

}  // namespace lookback::report
