// What the charts of a study share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace lookback::report {

nlohmann::json text_json(std::string_view text);

/// Adds encodings of color and, if colors repeat, of dashes.
void encode_arms(nlohmann::json& encoding, std::span<const std::string> arms);

/// A specification without marks: schema, description and size.
nlohmann::json figure_specification(std::string_view description);

/// Arm, seed, `place` and the value of a mark under the pointer.
nlohmann::json run_tooltip(const nlohmann::json& place, std::string_view value_title);

/// The parameter `checkpoint`, an index up to `last`, with a slider bound to it; at first `last`.
nlohmann::json checkpoint_parameter(std::size_t last);

}  // namespace lookback::report
