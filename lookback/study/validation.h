// How well a model predicts text that it has not learned from.
//
// Legend: T positions.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "lookback/base/go_on.h"
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

  /// The loss of each window, nats summed over its predictions: [windows]. The error is
  /// base::stopped().
  Result<std::vector<double>> losses(std::span<const float> parameters,
                                     const base::GoOn& go_on) const;

  std::size_t predictions() const { return source_.length() - 1; }  ///< T - 1, of a window
  std::uint64_t windows() const { return windows_; }                ///< that are measured
  std::uint64_t all_windows() const { return source_.windows(); }   ///< that the text has

 private:
  const model::Program& program_;
  language::OrderedWindows source_;
  std::uint64_t windows_;
  base::Workers& workers_;
};

}  // namespace lookback::study
