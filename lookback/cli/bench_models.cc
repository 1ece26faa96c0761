#include "lookback/cli/bench_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lookback/base/random.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/train/config.h"

namespace lookback::cli {
namespace {

struct Setup {
  std::string_view name;
  std::size_t layers, heads, steps;
};
constexpr Setup setups[] = {
    {"two-layer", 2, 1, 1}, {"one-layer-parallel", 1, 2, 1}, {"one-layer-sequential", 1, 1, 2}};

/// Rotary positions, tied embeddings, biases and MLPs of width 4 D, as in the article's models.
struct LanguageModel {
  std::string_view name;
  std::size_t vocabulary, context, d_model, layers, heads;
  std::size_t batch;
};
constexpr LanguageModel language_models[] = {{"small", 4096, 256, 128, 4, 4, 64},
                                             {"gpt2-small", 50257, 1024, 768, 12, 12, 4}};

class RandomTokens : public data::TokenSource {
 public:
  RandomTokens(std::size_t length, std::size_t vocabulary)
      : length_(length), vocabulary_(vocabulary) {}

  std::size_t length() const override { return length_; }
  std::size_t vocabulary() const override { return vocabulary_; }
  void draw(std::uint64_t index, std::span<data::Token> tokens) const override {
    base::RandomStream random(0, base::StreamPurpose::training_data, index);
    for (data::Token& token : tokens) token = static_cast<data::Token>(random.below(vocabulary_));
  }

 private:
  std::size_t length_, vocabulary_;
};

template <class Named>
std::vector<std::string_view> names_of(const Named& all) {
  std::vector<std::string_view> names;
  for (const auto& each : all) names.push_back(each.name);
  return names;
}

model::Architecture architecture_of(const LanguageModel& m) {
  model::Architecture a;
  a.vocabulary = m.vocabulary;
  a.context = m.context;
  a.d_model = m.d_model;
  a.d_head = m.d_model / m.heads;
  a.layers = m.layers;
  a.heads = m.heads;
  a.d_mlp = 4 * m.d_model;
  a.positions = model::Positions::rotary;
  a.biases = true;
  a.tied_embeddings = true;
  a.initialization = {.embedding = 0.02,
                      .position = 0.02,
                      .fan_in = false,
                      .gain = 0.02,
                      .residual_gain = 0.02,
                      .depth_scaled = true};
  return a;
}

}  // namespace

std::vector<std::string_view> setup_names() { return names_of(setups); }
std::vector<std::string_view> language_model_names() { return names_of(language_models); }

Result<Workload> article_workload(std::string_view setup) {
  const Setup& found = *std::ranges::find(setups, setup, &Setup::name);
  const train::TrainConfig config;
  Workload workload{found.name.data(), {}, nullptr, config.batch, config.shards};
  workload.architecture.layers = found.layers;
  workload.architecture.heads = found.heads;
  workload.architecture.steps = found.steps;
  auto source = data::make_block_source({});
  if (!source) return source.error();
  workload.source = std::move(*source);
  return workload;
}

Result<Workload> language_workload(std::string_view model, std::optional<std::size_t> length,
                                   std::optional<std::size_t> batch) {
  const LanguageModel& found = *std::ranges::find(language_models, model, &LanguageModel::name);
  const std::size_t tokens = length.value_or(found.context);
  if (tokens < 2 || tokens > found.context) {
    return Error{fmt::format("--length: found {}, allowed: 2 to {}, the context of {}", tokens,
                             found.context, found.name)};
  }
  Workload workload{found.name.data(), architecture_of(found),
                    std::make_shared<RandomTokens>(tokens, found.vocabulary),
                    batch.value_or(found.batch), 0};
  workload.shards = std::min(train::TrainConfig().shards, workload.batch);
  return workload;
}

}  // namespace lookback::cli
