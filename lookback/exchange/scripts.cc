#include "lookback/exchange/scripts.h"

#include <cstddef>

// Put there by cmake/Embed.cmake.
extern "C" const char lookback_transformer_lens_script_begin[];
extern "C" const char lookback_transformer_lens_script_end[];
extern "C" const char lookback_torch_script_begin[];
extern "C" const char lookback_torch_script_end[];

namespace lookback::exchange {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view transformer_lens_script() {
  return between(lookback_transformer_lens_script_begin, lookback_transformer_lens_script_end);
}

std::string_view torch_script() {
  return between(lookback_torch_script_begin, lookback_torch_script_end);
}

}  // namespace lookback::exchange
