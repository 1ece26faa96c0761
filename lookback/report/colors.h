// The colors of every figure. A hue is an arm, everywhere; everything else is drawn in ink and
// distinguished by shape and place. Only heat maps have hues of their own, beside their scale. In
// dark mode the page replaces each of these: darkColors in web/src/theme.ts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lookback::report {

/// A color for the arm at `index`, as "#rrggbb": six of the palette of Okabe and Ito (2008), and
/// violet, which color-blind readers can distinguish. They repeat every `arm_colors` arms, and then
/// lines are dashed.
inline constexpr std::size_t arm_colors = 7;
std::string_view arm_color(std::size_t index);

/// The color of a place on the axis of a sweep, from 0 to 1: violet over red to orange, ever lighter, and
/// apart from light and from dark paper.
std::string swept_color(double share);

/// Text, and text that matters less; rules that stand beside the data.
inline constexpr const char* text_color = "#1C2126";
inline constexpr const char* muted_color = "#5B646D";
/// Marks of measurements that belong to no arm.
inline constexpr const char* ink_color = "#3B434B";
/// Areas under such marks, whose outlines need not be visible.
inline constexpr const char* pale_color = "#CBD1D6";
/// Lies near the paper.
inline constexpr const char* paper_color = "#F5F5F5";
/// The ends of a heat map of signed numbers, with the paper between them.
inline constexpr const char* below_color = "#D55E00";
inline constexpr const char* above_color = "#0072B2";

}  // namespace lookback::report
