#include "lookback/lens/references.h"

#include <algorithm>

#include "lookback/base/require.h"

namespace lookback::lens {
namespace {

/// How many references are run before their activations are summed: enough for many workers, few
/// enough for the memory of their recordings.
constexpr std::size_t references_at_a_time = 16;

}  // namespace

Result<Recording> References::average(std::size_t group, const Plan& plan,
                                      model::Session& session) const {
  RecordingSum sum;
  for (std::size_t done = 0; done < references_per_group; done += references_at_a_time) {
    std::vector<std::vector<data::Token>> sequences;
    std::vector<model::Job> jobs;
    jobs.reserve(references_at_a_time);
    for (std::size_t i = done; i < done + references_at_a_time; ++i) {
      sequences.push_back(probe_.sequence(first_reference + group * references_per_group + i));
    }
    for (const auto& tokens : sequences) jobs.push_back({tokens, &plan});
    const auto ran = model::run_jobs(session, model_.parameters, jobs);
    if (!ran) return ran.error();
    for (const model::JobResult& result : *ran) sum.add(result.recording);
  }
  return sum.mean();
}

Result<std::shared_ptr<const Recording>> References::mean(std::size_t group,
                                                          std::span<const std::string> names,
                                                          model::Session& session) {
  LOOKBACK_REQUIRE(group < groups_.size());
  Group& kept = groups_[group];
  Plan plan{{}, kept.names};
  for (const std::string& name : names) {
    if (std::ranges::find(plan.recorded, name) == plan.recorded.end())
      plan.recorded.push_back(name);
  }
  if (kept.mean != nullptr && plan.recorded.size() == kept.names.size()) return kept.mean;
  Result<Recording> averaged = average(group, plan, session);
  if (!averaged) return averaged.error();
  auto mean = std::make_shared<const Recording>(*std::move(averaged));
  if (mean->bytes() <= memory_ / groups_.size()) kept = {std::move(plan.recorded), mean};
  return mean;
}

}  // namespace lookback::lens
