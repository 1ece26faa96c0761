// What a mean ablation replaces an activation by: its mean over reference sequences of the probe,
// position by position, where each group of measured sequences has its own references.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/lens/model.h"

namespace lookback::lens {

/// The number of reference sequences of one group. The mean then has 1/8 of one sequence's noise.
inline constexpr std::size_t references_per_group = 64;
/// Those of group k begin at sequence first_reference + k * references_per_group of the probe.
inline constexpr std::uint64_t first_reference = std::uint64_t{1} << 40;

/// The means of one model on one probe. They are kept, so that measurements that share this object
/// compute them once, unless the means of all groups together would take more than `memory` bytes.
class References {
 public:
  /// Model and probe must outlive it.
  References(const Model& model, const data::TokenSource& probe, std::size_t groups,
             std::size_t memory = std::size_t{1} << 28)
      : model_(model), probe_(probe), groups_(groups), memory_(memory) {}

  /// The means of at least the named activations over the references of `group`: the same bits
  /// whatever else was requested. Errors: unknown names. REQUIRES group < groups, a session of the
  /// model's program.
  Result<std::shared_ptr<const Recording>> mean(std::size_t group,
                                                std::span<const std::string> names,
                                                model::Session& session);

 private:
  struct Group {
    std::vector<std::string> names;
    std::shared_ptr<const Recording> mean;
  };
  Result<Recording> average(std::size_t group, const Plan& plan, model::Session& session) const;

  Model model_;
  const data::TokenSource& probe_;
  std::vector<Group> groups_;
  std::size_t memory_;
};

}  // namespace lookback::lens
