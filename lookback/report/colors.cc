#include "lookback/report/colors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace lookback::report {
namespace {

constexpr std::array<std::string_view, arm_colors> palette = {
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#9328F5"};

}  // namespace

std::string swept_color(double share) {
  constexpr std::array<std::array<double, 3>, 3> stops = {
      {{0x5B, 0x3F, 0xB8}, {0xC2, 0x41, 0x7C}, {0xEE, 0x94, 0x2F}}};
  const double place = std::clamp(share, 0.0, 1.0) * (stops.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  std::array<int, 3> rgb{};
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const double between = place - static_cast<double>(low);
    rgb[i] = static_cast<int>(
        std::lround(stops[low][i] + (stops[low + 1][i] - stops[low][i]) * between));
  }
  return fmt::format("#{:02X}{:02X}{:02X}", rgb[0], rgb[1], rgb[2]);
}

std::string_view arm_color(std::size_t index) { return palette[index % palette.size()]; }

}  // namespace lookback::report
