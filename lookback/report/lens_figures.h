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

/// One bar: a row, and within it the kind of change, which gives its end a shape.
struct LensBar {
  std::string row;
  std::string change;
  LensValue value;
};

/// Where an axis of values begins and ends; 0 is always on it.
struct LensRange {
  double low = 0, high = 0;
  void add(const LensValue& value);  ///< with its interval of 95%, where there is one
};

/// Horizontal bars, grouped by row in the order given, with rules for the intervals of 95%: a bar
/// whose interval is not known has none, and its row has no "low" and "high".
nlohmann::json lens_bars_figure(std::string_view description, std::string_view value_title,
                                std::span<const LensBar> bars, const LensRange& range);

/// Eigenvalues in the complex plane, square. The angle is theirs; the radius is
/// max(0, 1 + log10(|l| / largest) / 2), so that two powers of ten show, and circles stand at the
/// largest |l| and at a tenth of it.
nlohmann::json eigenvalues_figure(const LensCircuit& circuit);

/// Scores of every pair as a heat map: a row a head that writes, a column an input of a head that
/// reads. Color follows the score over that of random matrices.
nlohmann::json composition_figure(std::span<const LensComposition> pairs);

/// What patching restores, a row a head and a column a position (`patches` are of one activation);
/// the positions changed and asked are marked. Color is clamped to [-1, 1].
nlohmann::json patching_figure(std::span<const LensPatch> patches, const LensPatching& patching);

/// Scores of positions alone of one head against the offset; `range` is that of all heads shown.
nlohmann::json positional_figure(const LensPositional& head, const LensRange& range);

}  // namespace lookback::report
