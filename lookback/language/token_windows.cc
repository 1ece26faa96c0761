#include "lookback/language/token_windows.h"

#include <fmt/format.h>

#include <algorithm>

#include "lookback/base/permutation.h"
#include "lookback/base/random.h"

namespace lookback::language {

ShuffledWindows::ShuffledWindows(std::shared_ptr<const TokenFile> file, std::size_t length,
                                 std::uint64_t seed)
    : file_(std::move(file)),
      length_(length),
      seed_(seed),
      windows_((file_->size() - (length - 1)) / length) {}

void ShuffledWindows::draw(std::uint64_t index, std::span<data::Token> tokens) const {
  const std::uint64_t epoch = index / windows_;
  const std::uint64_t offset =
      base::RandomStream(seed_, base::StreamPurpose::training_data, epoch).below(length_);
  const std::uint64_t window = base::Permutation(windows_, seed_, epoch)(index % windows_);
  file_->copy(offset + window * length_, tokens);
}

void RepeatedWindows::draw(std::uint64_t index, std::span<data::Token> tokens) const {
  windows_->draw(index, tokens);
  base::RandomStream random(seed_, base::StreamPurpose::text_repeats, index);
  if (random.uniform() >= repeats_.share) return;
  const std::uint64_t choices = repeats_.max_period - repeats_.min_period + 1;
  const std::size_t period = repeats_.min_period + random.below(choices);
  for (std::size_t t = period; t < tokens.size(); ++t) tokens[t] = tokens[t - period];
}

SpreadWindows::SpreadWindows(std::shared_ptr<const TokenFile> file, std::size_t length,
                             std::uint64_t most)
    : file_(std::move(file)),
      length_(length),
      all_windows_((file_->size() - 1) / (length - 1)),
      windows_(std::min(most, all_windows_)) {}

void SpreadWindows::draw(std::uint64_t index, std::span<data::Token> tokens) const {
  // floor(index n / k) without the product, which may overflow, plus half a stretch.
  const std::uint64_t stretch = all_windows_ / windows_, rest = all_windows_ % windows_;
  const std::uint64_t window = index * stretch + index * rest / windows_ + stretch / 2;
  file_->copy(window * (length_ - 1), tokens);
}

Status check_windows(const TokenFile& file, std::size_t length) {
  if (length >= 2 && file.size() >= 2 * length - 1) return {};
  return Error{fmt::format("found {} tokens, allowed for windows of {} tokens: at least {}",
                           file.size(), length, 2 * length - 1)};
}

}  // namespace lookback::language
