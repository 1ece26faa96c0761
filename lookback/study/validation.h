// How well a model predicts text that it has not learned from.
//
// Legend: T positions.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>

#include "lookback/base/workers.h"
#include "lookback/language/token_windows.h"
#include "lookback/model/program.h"

namespace lookback::study {

/// The first so many windows of T tokens of a validation file, ready to be predicted again and again.
/// Program and workers must outlive it.
class Validation {
 public:
  /// Of fewer windows than asked for, all. REQUIRES that check_windows accepts (file, length), and
  /// windows >= 1.
  Validation(const model::Program& program, std::shared_ptr<const language::TokenFile> file,
             std::size_t length, std::size_t windows, base::Workers& workers);

  /// {"loss": mean nats a token, "perplexity": exp of it, "tokens": predicted}. Each token is
  /// predicted from those before it in its window. Memory for it is taken and given back.
  nlohmann::json measure(std::span<const float> parameters) const;

 private:
  const model::Program& program_;
  language::OrderedWindows source_;
  std::uint64_t windows_;
  base::Workers& workers_;
};

}  // namespace lookback::study
