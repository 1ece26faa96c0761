// What the lens found in one model, as the plain numbers that its figures show. Legend of shapes: T
// positions, V tokens.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lookback::report {

/// A head by its layer and its number there, counted over the layer's steps.
struct LensHead {
  std::size_t layer = 0;
  std::size_t head = 0;

  bool operator==(const LensHead&) const = default;
  bool operator<(const LensHead& other) const {
    return layer != other.layer ? layer < other.layer : head < other.head;
  }
  std::string name() const { return std::to_string(layer) + "." + std::to_string(head); }
};

/// Two finite bounds, low <= high.
struct LensInterval {
  double low = 0;
  double high = 0;

  /// Half its width; half of each bound, since the width of two finite ones may not be finite.
  double reach() const { return high / 2 - low / 2; }
};

/// A finite mean over sequences and its 95% interval; none if unknown.
struct LensValue {
  double mean = 0;
  std::optional<LensInterval> interval;
};

/// What changes when one component is replaced in what one reader reads.
struct LensPath {
  std::string from;            ///< "head 0.0", "token", ...
  std::optional<LensHead> to;  ///< none: the logits
  std::string input;           ///< "q", "k", "v"; empty for the logits
  std::string change;          ///< "zero", "mean", "resample"; "clean" for patching
  LensValue value;
};

/// The rise of second-half loss when a whole part is changed.
struct LensRise {
  std::string part;    ///< "head 0.0", "every head", "blocks.0.ln1", ...
  std::string change;  ///< "zero", "mean", "resample", "frozen", "removed"
  LensValue rise;
};

struct LensCircuit {
  std::string kind;  ///< "ov", "qk", "qk_before", "q_composition", "k_composition", "v_composition"
  LensHead head;
  std::optional<LensHead> from;  ///< of compositions
  std::vector<std::complex<double>> eigenvalues;
  double eigenvalue_score = 0;  ///< sum Re l / sum |l|
  std::optional<double> matching_score;
  std::vector<float> matrix;  ///< [V, V] row-major, or empty
};

struct LensComposition {
  LensHead from, to;
  double q = 0, k = 0, v = 0;
  double baseline = 0;  ///< the score of random matrices
};

/// What patching one activation of one head restores; NaN if unknown.
struct LensPatch {
  LensHead head;
  std::string activation;  ///< "q", "k", "v", "z", "pattern"
  std::optional<LensValue> whole;
  std::vector<double> by_position;  ///< [T] or empty
};

struct LensPatching {
  std::string corruption;  ///< "answer", "match"
  std::size_t changed = 0, query = 0;
  std::optional<LensValue> clean, corrupted;  ///< log-probability of the right answer, nats
  std::vector<LensPatch> heads;
  std::vector<LensPath> paths;
  std::size_t sequences = 0;  ///< that means are over; 0: not known
};

struct LensPositional {
  LensHead head;
  std::vector<double> by_offset;  ///< [T]; NaN where it is not known
};

/// A named measure of the mechanism.
struct LensFact {
  std::string name;
  LensValue value;
};

struct LensMechanism {
  std::string verdict, reason;
  std::vector<LensFact> facts;
};

struct LensResult {
  std::uint64_t tokens = 0;  ///< training tokens of the checkpoint
  std::size_t vocabulary = 0;
  LensMechanism mechanism;
  std::string probe;             ///< of the ablations; empty: not known
  std::size_t sequences = 0;     ///< of it, held out; 0: not known
  std::vector<LensPath> paths;   ///< rises, by input of a head
  std::vector<LensPath> logits;  ///< rises, by what the logits alone read
  std::vector<LensRise> heads, patterns, values, norms;
  std::vector<LensCircuit> direct, composed;
  std::vector<LensComposition> composition;
  std::vector<LensPatching> patchings;
  std::vector<LensPositional> positional;
  std::vector<std::string> skipped;  ///< one line each
};

}  // namespace lookback::report
