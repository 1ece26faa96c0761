#include "lookback/study/value_content.h"

#include <memory>
#include <numeric>
#include <optional>

#include "lookback/lens/ablation_edits.h"
#include "lookback/lens/evaluate.h"
#include "lookback/lens/runner.h"

namespace lookback::study {
namespace {

lens::Edits mean_values_everywhere(const model::Architecture& architecture) {
  lens::Edits edits;
  for (std::size_t layer = 0; layer < architecture.layers; ++layer) {
    edits.push_back(lens::copy(lens::Edit::Kind::copy_mean, lens::z_name(layer), std::nullopt,
                               lens::value_name(architecture, layer)));
  }
  return edits;
}

double mean_of(std::span<const float> losses) {
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(losses.size());
}

}  // namespace

Result<ValueContent> value_content(const lens::Model& model, const data::TokenSource& source,
                                   std::uint64_t windows, base::Workers& workers,
                                   const base::GoOn& go_on) {
  if (Status fits =
          lens::check_inputs(model.program, model.parameters, source.length(), source.vocabulary());
      !fits) {
    return fits.error();
  }
  const lens::Edits edits = mean_values_everywhere(model.program.architecture);
  ValueContent content{std::vector<double>(windows), std::vector<double>(windows)};
  std::vector<std::unique_ptr<lens::Runner>> runners(workers.count());
  std::vector<std::optional<Error>> errors(windows);
  const auto run = [&](std::size_t window, std::size_t worker) {
    auto& runner = runners[worker];
    if (!runner) runner = std::make_unique<lens::Runner>(model, source.length());
    const std::vector<data::Token> tokens = source.sequence(window);
    if (const auto whole = runner->run(tokens)) content.whole[window] = mean_of(*whole);
    const auto ablated = runner->run(tokens, edits);
    if (ablated) {
      content.ablated[window] = mean_of(*ablated);
    } else {
      errors[window] = ablated.error();
    }
  };
  if (Status done = base::run_while(go_on, workers, windows, run); !done) return done.error();
  for (const std::optional<Error>& error : errors) {
    if (error) return *error;
  }
  return content;
}

}  // namespace lookback::study
