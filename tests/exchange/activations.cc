#include "tests/exchange/activations.h"

#include <algorithm>
#include <map>

#include "lookback/model/executor.h"
#include "tests/model/running.h"

namespace lookback::exchange::spec {
namespace {

constexpr std::size_t batch = 2;
constexpr std::size_t most_logits = 1 << 20;  // for the vocabulary of a language model

/// What is seen under one name.
struct Seen {
  std::size_t heads = 0;  // 0: a stream
  std::size_t rows = 0, cols = 0;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<float>> parts;  // by sequence and head

  void add(const model::Tapped& place, math::Matrix<float> part) {
    rows = part.rows;
    cols = part.cols;
    std::vector<float>& numbers = parts[{place.sequence, place.head}];
    for (std::size_t r = 0; r < rows; ++r) {
      numbers.insert(numbers.end(), part.row(r), part.row(r) + cols);
    }
  }
  std::vector<std::size_t> shape() const {
    if (heads == 0) return {batch, rows, cols};
    return {batch, heads, rows, cols};
  }
  std::vector<float> together() const {
    std::vector<float> all;
    for (const auto& [place, numbers] : parts)
      all.insert(all.end(), numbers.begin(), numbers.end());
    return all;
  }
};

}  // namespace

Status write_activations(const study::SavedModel& model, const std::filesystem::path& file) {
  const model::Architecture& a = model.config.architecture;
  const std::size_t length =
      std::min(a.context - a.context / 8, most_logits / batch / a.vocabulary);
  std::map<std::string, Seen> seen;
  for (const model::SiteInfo& site : model.program.sites) seen[site.name].heads += site.heads;
  model::Taps<float> taps(model.program);
  for (auto& [name, activation] : seen) {
    Status set = taps.on_forward(
        name, [&seen_here = activation](const model::Tapped& place, math::Matrix<float> part) {
          seen_here.add(place, part);
        });
    if (!set) return set;
  }
  const auto tokens = model::spec::random_tokens(a.vocabulary, batch * length);
  model::Executor<float> executor(model.program, batch, length);
  executor.forward(model.parameters, tokens, &taps);

  const auto numbers = model::spec::as<float>(tokens);
  std::vector<base::Tensor> tensors{{"tokens", {batch, length}, numbers}};
  std::map<std::string, std::vector<float>> storage;
  for (const auto& [name, activation] : seen) {
    storage[name] = activation.together();
    tensors.push_back({name, activation.shape(), storage[name]});
  }
  return base::write_safetensors(file, tensors, {});
}

}  // namespace lookback::exchange::spec
