// Reading what a claim says of a power law.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lookback/study/claim.h"

namespace lookback::study {
namespace {

constexpr std::size_t least_places = 3;
constexpr double largest_coordinate = 1e300;

/// Where the law lies on an axis that is not its own: `at` names one of the axis's values.
double read_place(base::TableReader& at, const SweepAxis& axis) {
  at.require(axis.key, "a value of the sweep, for the law is fitted along one key");
  const double value =
      at.number(axis.key, axis.values.front(), -largest_coordinate, largest_coordinate);
  if (std::ranges::find(axis.values, value) == axis.values.end()) {
    at.fail(axis.key, fmt::format("found {}, allowed: a value of the sweep", value));
  }
  return value;
}

}  // namespace

void read_power_law(base::TableReader& reader, const SweptArms& arms, ClaimTest& test) {
  PowerLaw law;
  std::vector<std::string> keys;
  for (const SweepAxis& axis : arms.axes) keys.push_back(axis.key);
  if (keys.empty()) {
    reader.fail("exponent", "found in a study without a [sweep], allowed: with one");
    return;
  }
  if (!reader.require("against", "a key of [sweep]")) return;
  law.key = reader.choice("against", keys.front(), keys);
  law.skips_missing = reader.flag("skip_missing", false);
  base::TableReader at = reader.table("at");
  std::vector<double> fixed;
  std::size_t along = 0;
  for (std::size_t i = 0; i < arms.axes.size(); ++i) {
    if (keys[i] == law.key) along = i;
    fixed.push_back(keys[i] == law.key ? 0 : read_place(at, arms.axes[i]));
  }
  for (const SweptArm& arm : arms.arms) {
    const auto is_there = [&](std::size_t i) { return i == along || arm.at[i] == fixed[i]; };
    bool all = arm.base == test.arm;
    for (std::size_t i = 0; i < fixed.size(); ++i) all = all && is_there(i);
    if (all) law.places.push_back({arm.name, arm.at[along]});
  }
  const auto& values = arms.axes[along].values;
  if (values.size() < least_places || *std::ranges::min_element(values) <= 0) {
    reader.fail("against",
                fmt::format("found \"{}\", allowed: a key with {} values or more, all above 0",
                            law.key, least_places));
  }
  test.law = std::move(law);
}

}  // namespace lookback::study
