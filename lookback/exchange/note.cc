#include "lookback/exchange/note.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "lookback/base/printable.h"

namespace lookback::exchange {
namespace {

constexpr const char* config_key = "lookback_config";
constexpr const char* tokenizer_key = "lookback_tokenizer";

/// The numbers of a header with their keys.
template <class Header>
auto numbers_of(Header& header) {
  using Number = decltype(&header.seed);
  return std::array<std::pair<const char*, Number>, 4>{
      {{"lookback_seed", &header.seed},
       {"lookback_step", &header.step},
       {"lookback_tokens", &header.tokens},
       {"lookback_next_sequence", &header.next_sequence}}};
}

}  // namespace

std::map<std::string, std::string> note_of(const train::CheckpointHeader& header) {
  std::map<std::string, std::string> note{{"format", "pt"}, {config_key, header.config}};
  for (const auto& [key, number] : numbers_of(header)) note[key] = fmt::format("{}", *number);
  if (!header.tokenizer.empty()) note[tokenizer_key] = header.tokenizer;
  return note;
}

Result<std::optional<train::CheckpointHeader>> read_note(
    const std::map<std::string, std::string>& metadata, const std::string& file_name) {
  const auto config = metadata.find(config_key);
  if (config == metadata.end()) return std::optional<train::CheckpointHeader>();
  train::CheckpointHeader header;
  header.config = config->second;
  for (const auto& [key, number] : numbers_of(header)) {
    const auto found = metadata.find(key);
    const std::string text = found == metadata.end() ? "" : found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error != std::errc{} || end != text.data() + text.size()) {
      return Error{fmt::format("{}: metadata '{}': found '{}', allowed: a number", file_name, key,
                               base::printable(text))};
    }
  }
  if (const auto at = metadata.find(tokenizer_key); at != metadata.end()) {
    header.tokenizer = at->second;
  }
  return std::optional(std::move(header));
}

}  // namespace lookback::exchange
