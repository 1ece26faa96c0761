#include "lookback/data/block_predictor.h"

#include <algorithm>
#include <vector>

namespace lookback::data {
namespace {

class BlockPredictor final : public SequencePredictor {
 public:
  BlockPredictor(std::size_t vocabulary, std::span<const Offsets> periods) {
    for (const Offsets& range : periods) {
      for (std::size_t period = range.first; period <= range.last; ++period) {
        periods_.push_back(period);
      }
    }
    const double share = 1 / static_cast<double>(vocabulary);
    for (double power = 1; power > 0; power *= share) powers_.push_back(power);
    begin();
  }

  void begin() override {
    seen_.clear();
    possible_ = periods_;
  }

  void see(Token token) override {
    std::erase_if(possible_, [&](std::size_t period) {
      return period <= seen_.size() && seen_[seen_.size() - period] != token;
    });
    seen_.push_back(token);
  }

  void predict(std::span<double> probabilities) const override {
    const std::size_t seen = seen_.size();
    std::ranges::fill(probabilities, 0);
    // Only how many more tokens of its own a period needs than the shortest matters.
    const std::size_t fewest = possible_.empty() ? 0 : std::min(possible_.front(), seen);
    double all = 0, anything = 0;
    for (const std::size_t period : possible_) {
      const std::size_t more = std::min(period, seen) - fewest;
      if (more >= powers_.size()) break;  // below the smallest number, as all after it
      (period <= seen ? probabilities[seen_[seen - period]] : anything) += powers_[more];
      all += powers_[more];
    }
    if (all == 0) all = anything = 1;
    const double each = anything / static_cast<double>(probabilities.size());
    for (double& probability : probabilities) probability = (probability + each) / all;
  }

 private:
  std::vector<std::size_t> periods_;   // ascending
  std::vector<std::size_t> possible_;  // those that could have given what was seen
  std::vector<double> powers_;         // V^-i while above 0
  std::vector<Token> seen_;
};

}  // namespace

std::unique_ptr<SequencePredictor> make_block_predictor(std::size_t vocabulary,
                                                        std::span<const Offsets> periods) {
  return std::make_unique<BlockPredictor>(vocabulary, periods);
}

}  // namespace lookback::data
