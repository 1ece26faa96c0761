// [sweep] of a study file: the numbers that a study varies, and the points of their grid.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/base/toml_document.h"

namespace lookback::study {

/// A number that a study varies.
struct SweepAxis {
  std::string key;             ///< of the tables of runs: "model.context"
  std::string label;           ///< in names: its last word, or the key where two end alike
  std::vector<double> values;  ///< in the order of the file, no two alike
  bool logarithmic = false;    ///< how figures draw it
};

/// An arm of a study: an [[arm]] at a point of the sweep.
struct SweptArm {
  std::string name;        ///< "two-layer,context=32"; without a sweep that of the [[arm]]
  std::string base;        ///< "two-layer"; empty where the study itself is swept
  std::vector<double> at;  ///< its value on each axis
};

/// The axes of a study, none without a sweep, and its arms in the order of Study::arms.
struct SweptArms {
  std::vector<SweepAxis> axes;
  std::vector<SweptArm> arms;

  /// The names of all arms; the bases, each once.
  std::vector<std::string> names() const;
  std::vector<std::string> bases() const;
};

/// A point of the grid.
struct SweepPoint {
  std::vector<double> at;  ///< a value for each axis
  std::string name;        ///< "context=32,learning_rate=0.001"; empty without a sweep
  base::Document tables;   ///< its values as tables, to be laid over those of an arm
  std::size_t line = 0;    ///< in the study file, of what sets it apart; 0 without a sweep
};

struct Sweep {
  std::vector<SweepAxis> axes;
  std::vector<std::string> keys;  ///< all that a point sets, those of the axes among them
  std::vector<SweepPoint>
      points;  ///< the last axis runs fastest; one that sets nothing without axes
};

/// Reads the table [sweep], whose line is for messages. Its keys are quoted, "model.context", and each is
///   a list of numbers, or { values = [...], scale = "log" },
///   { from, to, count, scale = "linear" }, evenly spaced: whole numbers where both ends are, otherwise
///     with four significant digits, or
///   { with = ANOTHER KEY, values = [...] }: values of any kind that move with those of a key.
/// An empty table gives one point that sets nothing. Whether a key exists and takes the values is for
/// the reader of the tables. Errors: FILE:LINE, the key, what was found, what is allowed.
Result<Sweep> read_sweep(const base::Document& sweep, std::size_t line);

/// A name for an arm at a point.
std::string name_at(std::string_view arm, const SweepPoint& point);

}  // namespace lookback::study
