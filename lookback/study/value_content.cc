#include "lookback/study/value_content.h"

#include <numeric>
#include <optional>

#include "lookback/lens/ablation_edits.h"

namespace lookback::study {
namespace {

lens::Edits mean_values_everywhere(const model::Architecture& architecture) {
  lens::Edits edits;
  for (std::size_t layer = 0; layer < architecture.layers; ++layer) {
    edits.push_back(model::copy(lens::Edit::Kind::copy_mean, lens::z_name(layer), std::nullopt,
                                lens::value_name(architecture, layer)));
  }
  return edits;
}

double mean_of(std::span<const float> losses) {
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

class MeanLosses final : public model::Observer {
 public:
  explicit MeanLosses(std::size_t jobs) : of_job(jobs) {}
  void output(std::size_t job, model::Output& output) override {
    of_job[job] = mean_of(output.losses());
  }
  std::vector<double> of_job;
};

}  // namespace

Result<ValueContent> value_content(const lens::Model& model, const data::TokenSource& source,
                                   std::uint64_t windows, model::Engine& engine,
                                   const base::Control& control) {
  if (Status fits = model::check_inputs(model.program, model.parameters, source.length(),
                                        source.vocabulary());
      !fits) {
    return fits.error();
  }
  const lens::Plan ablation{mean_values_everywhere(model.program.architecture), {}};
  std::vector<std::vector<data::Token>> sequences;
  std::vector<model::Job> jobs;  // of each window two: whole, then ablated
  for (std::uint64_t window = 0; window < windows; ++window) {
    sequences.push_back(source.sequence(window));
  }
  for (const auto& tokens : sequences) {
    jobs.push_back({tokens, nullptr});
    jobs.push_back({tokens, &ablation});
  }
  MeanLosses means(jobs.size());
  const auto session = engine.open(model.program, model::Keep::everything);
  Status ran = session->forward(model.parameters, jobs, means, control);
  if (!ran) return ran.error();
  ValueContent content;
  for (std::size_t job = 0; job < jobs.size(); job += 2) {
    content.whole.push_back(means.of_job[job]);
    content.ablated.push_back(means.of_job[job + 1]);
  }
  return content;
}

}  // namespace lookback::study
