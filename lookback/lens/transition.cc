#include "lookback/lens/transition.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

struct Point {
  double tokens;
  double time;  ///< log10 tokens
  double score;
};
using Points = std::vector<Point>;

/// A range of points from a low to a peak, both included.
struct Rise {
  std::size_t low;
  std::size_t peak;
};

Points finite_points(std::span<const CurvePoint> curve) {
  Points points;
  for (const CurvePoint& point : curve) {
    if (!std::isfinite(point.score)) continue;
    const double tokens = std::max(point.tokens, 1.0);
    points.push_back({tokens, std::log10(tokens), point.score});
  }
  return points;
}

/// Extends forward and backward from `at` until the score reverses by `reversal`.
Rise rise_around(const Points& points, std::size_t at, double reversal) {
  Rise rise{at, at};
  for (std::size_t i = at + 1; i < points.size(); ++i) {
    if (points[i].score > points[rise.peak].score) rise.peak = i;
    if (points[rise.peak].score - points[i].score >= reversal) break;
  }
  for (std::size_t i = at; i-- > 0;) {
    if (points[i].score < points[rise.low].score) rise.low = i;
    if (points[i].score - points[rise.low].score >= reversal) break;
  }
  return rise;
}

/// The rises of at least `reversal` after the peak at `from`, in order.
std::vector<Rise> rises_after(const Points& points, std::size_t from, double reversal) {
  std::vector<Rise> rises;
  std::size_t low = from;
  for (std::size_t i = from + 1; i < points.size(); ++i) {
    if (points[i].score < points[low].score) low = i;
    if (points[i].score - points[low].score < reversal) continue;
    rises.push_back({low, rise_around(points, i, reversal).peak});
    low = i = rises.back().peak;
  }
  return rises;
}

/// Where the line from point i - 1 to point i meets `level`. REQUIRES score[i-1] < level <=
/// score[i].
double crossing(const Points& points, std::size_t i, double level) {
  LOOKBACK_REQUIRE(points[i - 1].score < level && level <= points[i].score);
  const Point& a = points[i - 1];
  const Point& b = points[i];
  return a.time + (b.time - a.time) * (level - a.score) / (b.score - a.score);
}

bool crosses(const Points& points, std::size_t i, double level) {
  return points[i - 1].score < level && level <= points[i].score;
}

/// The transition of a rise that first reaches `level` at point `at`.
Transition describe(const Points& points, Rise rise, std::size_t at, double level) {
  const Point& low = points[rise.low];
  const Point& peak = points[rise.peak];
  Transition result;
  result.tokens = result.after_tokens = result.by_tokens = points[at].tokens;
  result.low_score = low.score;
  result.peak_score = peak.score;
  result.peak_tokens = peak.tokens;
  if (at == 0) return result;
  result.after_tokens = points[at - 1].tokens;
  const double middle = crossing(points, at, level);
  result.tokens = std::pow(10.0, middle);
  const double tenth = low.score + 0.1 * (peak.score - low.score);
  const double nine_tenths = low.score + 0.9 * (peak.score - low.score);
  // Half of the maximum may lie outside 10% to 90% of this rise if a later one goes far beyond it:
  // then the width begins or ends at the crossing itself.
  double begin = middle;
  for (std::size_t i = at; i > rise.low; --i) {
    if (!crosses(points, i, tenth)) continue;
    begin = std::min(middle, crossing(points, i, tenth));
    break;
  }
  double end = middle;
  for (std::size_t i = at; i <= rise.peak; ++i) {
    if (!crosses(points, i, nine_tenths)) continue;
    end = std::max(middle, crossing(points, i, nine_tenths));
    break;
  }
  result.sharpness = end - begin;
  return result;
}

/// The first point from `from` on whose score is at least `level`. REQUIRES that there is one.
std::size_t first_reaching(const Points& points, std::size_t from, double level) {
  while (from < points.size() && points[from].score < level) ++from;
  LOOKBACK_REQUIRE(from < points.size());
  return from;
}

struct First {
  Rise rise;
  std::size_t at;
  double level;
};

std::optional<First> find_first(const Points& points, const TransitionCriteria& criteria) {
  if (points.empty()) return std::nullopt;
  const double maximum = std::ranges::max(points, {}, &Point::score).score;
  if (!(maximum >= criteria.chance + criteria.clearly_above)) return std::nullopt;
  const double level = maximum / 2;
  const std::size_t at = first_reaching(points, 0, level);
  return First{rise_around(points, at, criteria.reversal), at, level};
}

}  // namespace

std::optional<Transition> first_transition(std::span<const CurvePoint> curve,
                                           const TransitionCriteria& criteria) {
  LOOKBACK_REQUIRE(std::ranges::is_sorted(curve, {}, &CurvePoint::tokens));
  const Points points = finite_points(curve);
  const std::optional<First> first = find_first(points, criteria);
  if (!first) return std::nullopt;
  return describe(points, first->rise, first->at, first->level);
}

std::vector<Transition> later_transitions(std::span<const CurvePoint> curve,
                                          const TransitionCriteria& criteria) {
  LOOKBACK_REQUIRE(std::ranges::is_sorted(curve, {}, &CurvePoint::tokens));
  const Points points = finite_points(curve);
  const std::optional<First> first = find_first(points, criteria);
  std::vector<Transition> transitions;
  if (!first) return transitions;
  for (const Rise& rise : rises_after(points, first->rise.peak, criteria.reversal)) {
    const double level = (points[rise.low].score + points[rise.peak].score) / 2;
    const std::size_t at = first_reaching(points, rise.low, level);
    transitions.push_back(describe(points, rise, at, level));
  }
  return transitions;
}

}  // namespace lookback::lens
