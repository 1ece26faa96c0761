// How well a model predicts text that it has not learned from.
//
// Legend: T positions.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "lookback/base/control.h"
#include "lookback/language/token_windows.h"
#include "lookback/model/engine.h"
#include "lookback/model/program.h"

namespace lookback::study {

/// How a window's tokens were predicted. Text means tokens that are not special.
struct WindowLoss {
  double nats = 0;               ///< summed over the window's T - 1 predictions
  double text_nats = 0;          ///< over those of text alone
  std::uint64_t text_bytes = 0;  ///< of the tokens predicted there
};

/// A number of windows of T tokens, spread evenly over a validation file (language::SpreadWindows),
/// ready to be predicted repeatedly. Program and engine must outlive it.
class Validation {
 public:
  /// If the file has fewer windows than requested, all are used. REQUIRES that check_windows
  /// accepts (file, length), and windows >= 1.
  Validation(const model::Program& program, std::shared_ptr<const language::TokenFile> file,
             std::size_t length, std::size_t windows, model::Engine& engine);

  /// {"loss": mean nats a token, "perplexity": exp of it, "tokens": predicted, "windows":
  /// "spread"}. Each token is predicted from those before it in its window. A non-finite number is
  /// null. Its memory is allocated and freed in the call.
  nlohmann::json measure(std::span<const float> parameters) const;

  /// The loss of each window: [windows]. `token_bytes` [V] has the bytes of each token, 0 of a special
  /// one; without it nothing counts as text. The error is base::stopped().
  Result<std::vector<WindowLoss>> losses(std::span<const float> parameters,
                                         const base::Control& control,
                                         std::span<const std::size_t> token_bytes = {}) const;

  std::size_t predictions() const { return source_.length() - 1; }     ///< T - 1, of a window
  std::uint64_t windows() const { return source_.windows(); }          ///< that are measured
  std::uint64_t all_windows() const { return source_.all_windows(); }  ///< that the text has

 private:
  language::SpreadWindows source_;
  std::unique_ptr<model::Session> session_;
};

/// Which windows validation uses, as results name them.
inline constexpr std::string_view spread_windows = "spread";

}  // namespace lookback::study
