// The hand-built circuit, and what the equations of construct.h say of it in double precision,
// computed from the tokens alone: the oracle of this folder.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "lookback/data/repeated_blocks.h"
#include "lookback/model/construct.h"
#include "tests/lens/models.h"
#include "tests/lens/patterns.h"

namespace lookback::lens {

struct ConstructedCase {
  model::ConstructionKind kind;
  std::size_t vocabulary, context;
  std::size_t spare = 0;  ///< numbers of D and of E above the least
};

/// The construction with its D and E.
model::Construction construction_of(const ConstructedCase& a);
SmallModel make_constructed(const ConstructedCase& a);

/// A held-out probe of the construction's V and T; periods 16 to 48, of a third of T where that is
/// too long for broken-period.
std::unique_ptr<data::BlockSource> probe_of(const ConstructedCase& a, data::BlockKind kind);

/// What the heads attend to and what the predictions cost, as the equations have it.
class Ideal {
 public:
  explicit Ideal(const ConstructedCase& a);

  const model::Circuit& circuit() const { return circuit_; }
  /// The pattern of every head on tokens [T].
  std::vector<OwnPattern> patterns(std::span<const data::Token> tokens) const;
  /// [T-1], from the last head's pattern.
  std::vector<float> losses(std::span<const data::Token> tokens, const OwnPattern& pattern) const;

 private:
  double product(data::Token a, data::Token b) const { return gram_[a * vocabulary_ + b]; }
  double share(std::size_t t, std::size_t offset) const;
  OwnPattern previous_pattern(std::size_t length) const;
  double relevance(std::span<const data::Token> tokens, std::size_t t, data::Token c) const;
  double score(std::span<const data::Token> tokens, std::size_t t, std::size_t s) const;

  model::ConstructionKind kind_;
  model::Circuit circuit_;
  std::size_t vocabulary_;
  std::vector<double> gram_;  ///< [V,V]: products of the codes
};

}  // namespace lookback::lens
