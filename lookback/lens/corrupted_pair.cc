#include <fmt/format.h>

#include "lookback/base/random.h"
#include "lookback/data/task.h"
#include "lookback/lens/patching.h"

namespace lookback::lens {

Result<CorruptedPair> corrupted_pair(std::size_t vocabulary, std::size_t period,
                                     Corruption corruption, std::uint64_t index) {
  constexpr std::size_t longest = std::size_t{1} << 23;
  if (period < 2 || period > longest) {
    return Error{fmt::format("patching needs blocks of 2 to {} tokens, found {}", longest, period)};
  }
  const std::size_t length = 2 * period;
  constexpr std::uint64_t seed = 0;
  const auto source = data::make_task(base::KindConfig(data::random_repeat_kind()),
                                      {vocabulary, length, seed, base::StreamPurpose::probe});
  if (!source) return source.error();
  CorruptedPair pair;
  pair.clean = (*source)->sequence(index);
  pair.corrupted = pair.clean;
  pair.query = length - 2;
  pair.right = pair.clean.back();
  pair.changed = period - (corruption == Corruption::answer ? 1 : 2);
  // Uniform over the other V - 1 tokens.
  base::RandomStream stream(seed, base::StreamPurpose::resampling, index);
  model::Token& token = pair.corrupted[pair.changed];
  const auto drawn = static_cast<model::Token>(stream.below(vocabulary - 1));
  token = drawn < token ? drawn : drawn + 1;
  return pair;
}

}  // namespace lookback::lens
