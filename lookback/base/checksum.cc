#include "lookback/base/checksum.h"

#include <xxhash.h>

#include <memory>

namespace lookback::base {

std::uint64_t checksum(std::span<const Bytes> parts) {
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  const std::unique_ptr<XXH3_state_t, FreeState> state(XXH3_createState());
  XXH3_64bits_reset(state.get());
  for (const Bytes part : parts) {
    if (!part.empty()) XXH3_64bits_update(state.get(), part.data(), part.size());
  }
  return XXH3_64bits_digest(state.get());
}

std::string checksum_text(std::span<const Bytes> parts) {
  const std::uint64_t value = checksum(parts);
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
  }
  return text;
}

std::string checksum_text(std::initializer_list<Bytes> parts) {
  return checksum_text(std::span<const Bytes>(parts.begin(), parts.size()));
}

}  // namespace lookback::base
