// What lookback bench trains: the article's setups, and language models of GPT-2's shape.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lookback/base/result.h"
#include "lookback/data/token_source.h"
#include "lookback/model/architecture.h"

namespace lookback::cli {

/// A model, the sequences it is trained on, and the number of them per step.
struct Workload {
  std::string name;
  model::Architecture architecture;
  std::shared_ptr<const data::TokenSource> source;
  std::size_t batch = 0;
  std::size_t shards = 0;
};

std::vector<std::string_view> setup_names();
std::vector<std::string_view> language_model_names();

/// One of setup_names() on the article's task, as `lookback study` trains it.
Result<Workload> article_workload(std::string_view setup);

/// One of language_model_names() on uniform random tokens: speed does not depend on their values.
/// Errors: a length beyond the model's context, or below 2.
Result<Workload> language_workload(std::string_view model, std::optional<std::size_t> length,
                                   std::optional<std::size_t> batch);

}  // namespace lookback::cli
