#include <fmt/format.h>

#include "lookback/base/random.h"
#include "lookback/data/repeated_blocks.h"
#include "lookback/lens/patching.h"

namespace lookback::lens {

Result<CorruptedPair> corrupted_pair(std::size_t vocabulary, std::size_t length,
                                     Corruption corruption, std::uint64_t index) {
  if (length < 4) {
    return Error{fmt::format("found a length of {} to patch, allowed at least 4", length)};
  }
  data::BlockTask task;
  task.kind = data::BlockKind::random_repeat;
  task.vocabulary = vocabulary;
  task.length = length;
  task.purpose = base::StreamPurpose::probe;
  const auto source = data::make_block_source(task);
  if (!source) return source.error();
  CorruptedPair pair;
  pair.clean = (*source)->sequence(index);
  pair.corrupted = pair.clean;
  pair.query = length - 2;
  pair.right = pair.clean.back();
  pair.changed = length / 2 - (corruption == Corruption::answer ? 1 : 2);
  // Uniform over the other V - 1 tokens.
  base::RandomStream stream(task.seed, base::StreamPurpose::resampling, index);
  model::Token& token = pair.corrupted[pair.changed];
  const auto drawn = static_cast<model::Token>(stream.below(vocabulary - 1));
  token = drawn < token ? drawn : drawn + 1;
  return pair;
}

}  // namespace lookback::lens
