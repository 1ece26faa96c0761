#include "lookback/report/colors.h"

#include <array>

namespace lookback::report {
namespace {

constexpr std::array<std::string_view, arm_colors> palette = {
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#9328F5"};

}  // namespace

std::string_view arm_color(std::size_t index) { return palette[index % palette.size()]; }

}  // namespace lookback::report
