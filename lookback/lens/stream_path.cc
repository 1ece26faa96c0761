#include "lookback/lens/stream_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lookback/base/require.h"

namespace lookback::lens {

using Matrix = Eigen::MatrixXd;
using model::NormKind;

Matrix StreamPath::read_by(Matrix weights) const {
  for (auto norm = norms_.rbegin(); norm != norms_.rend(); ++norm) {
    weights.array().colwise() *= norm->gain.transpose().array();
    if (norm->kind == NormKind::layernorm) {
      const Eigen::RowVectorXd mean = weights.colwise().mean();
      weights.rowwise() -= mean;
    }
  }
  return weights;
}

Matrix StreamPath::passed_by(Matrix rows) const {
  for (const PassedNorm& norm : norms_) {
    if (norm.kind == NormKind::layernorm) {
      const Eigen::VectorXd mean = rows.rowwise().mean();
      rows.colwise() -= mean;
    }
    rows.array().rowwise() *= norm.gain.array();
  }
  return rows;
}

void StreamPath::note(std::vector<CircuitNote>& notes) const {
  for (const PassedNorm& norm : norms_) {
    const bool layernorm = norm.kind == NormKind::layernorm;
    add_note(notes, Treatment::folded, norm.name + (layernorm ? ": gain and centering" : ": gain"));
    add_note(notes, Treatment::frozen, norm.name + ": scale");
    if (layernorm) add_note(notes, Treatment::ignored, norm.name + ": bias");
  }
}

void add_note(std::vector<CircuitNote>& notes, Treatment treatment, std::string what) {
  CircuitNote note{treatment, std::move(what)};
  if (std::ranges::find(notes, note) == notes.end()) notes.push_back(std::move(note));
}

StreamPath StreamPaths::from_stream(HeadPlace to) const {
  const bool later_step = to.head >= architecture_.heads;
  std::vector<PassedNorm> norms;
  if (!later_step || architecture_.step_input == model::StepInput::normed) {
    pass(architecture_.norm_of(to.layer), fmt::format("blocks.{}.ln1", to.layer), norms);
  }
  if (later_step) pass_norm_between(to, norms);
  return StreamPath(std::move(norms));
}

StreamPath StreamPaths::between(HeadPlace from, HeadPlace to) const {
  LOOKBACK_REQUIRE(from.comes_before(to));
  if (from.layer != to.layer) return from_stream(to);
  std::vector<PassedNorm> norms;
  pass_norm_between(to, norms);
  return StreamPath(std::move(norms));
}

StreamPath StreamPaths::to_logits() const {
  std::vector<PassedNorm> norms;
  pass(architecture_.final_norm, "ln_final", norms);
  return StreamPath(std::move(norms));
}

void StreamPaths::pass_norm_between(HeadPlace to, std::vector<PassedNorm>& norms) const {
  const std::size_t step = to.head / architecture_.heads;
  pass(architecture_.norm_between, fmt::format("blocks.{}.steps.{}.ln", to.layer, step), norms);
}

void StreamPaths::pass(NormKind kind, const std::string& name,
                       std::vector<PassedNorm>& norms) const {
  if (kind == NormKind::none) return;
  const auto gain = views_.whole(name + ".w");
  if (gain) norms.push_back({name, kind, gain->cast<double>().row(0)});
}

}  // namespace lookback::lens
