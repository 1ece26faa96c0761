#include "lookback/data/ngram_predictors.h"

#include <algorithm>
#include <vector>

namespace lookback::data {
namespace {

class UniformPredictor final : public SequencePredictor {
 public:
  void begin() override {}
  void see(Token /*token*/) override {}
  void predict(std::span<double> probabilities) const override {
    std::ranges::fill(probabilities, 1 / static_cast<double>(probabilities.size()));
  }
};

class NgramPredictor final : public SequencePredictor {
 public:
  NgramPredictor(std::size_t vocabulary, std::size_t n, double pseudo_count)
      : vocabulary_(vocabulary), before_(n - 1), pseudo_count_(pseudo_count) {
    for (std::size_t i = 0; i < before_; ++i) contexts_ *= vocabulary;
    counts_.resize(contexts_ * vocabulary);
    totals_.resize(contexts_);
  }

  void begin() override {
    std::ranges::fill(counts_, 0);
    std::ranges::fill(totals_, 0);
    context_ = seen_ = 0;
  }

  void see(Token token) override {
    if (seen_ >= before_) {
      ++counts_[context_ * vocabulary_ + token];
      ++totals_[context_];
    }
    context_ = (context_ * vocabulary_ + token) % contexts_;
    ++seen_;
  }

  void predict(std::span<double> probabilities) const override {
    const bool is_counted = seen_ >= before_;
    const double total = is_counted ? totals_[context_] : 0;
    const double all = total + static_cast<double>(vocabulary_) * pseudo_count_;
    for (std::size_t token = 0; token < vocabulary_; ++token) {
      const double count = is_counted ? counts_[context_ * vocabulary_ + token] : 0;
      probabilities[token] = (count + pseudo_count_) / all;
    }
  }

 private:
  std::size_t vocabulary_;
  std::size_t before_;        // how many tokens make a context
  std::size_t contexts_ = 1;  // vocabulary_ to the power of before_
  double pseudo_count_;
  std::vector<double> counts_;  // [contexts_, vocabulary_]
  std::vector<double> totals_;  // [contexts_]
  std::size_t context_ = 0;     // the last tokens as digits, the latest the lowest
  std::size_t seen_ = 0;
};

class SharedBigramPredictor final : public SequencePredictor {
 public:
  void begin() override { stays_ = seen_ = 0; }

  void see(Token token) override {
    if (seen_ > 0 && token == last_) ++stays_;
    last_ = token;
    ++seen_;
  }

  void predict(std::span<double> probabilities) const override {
    std::ranges::fill(probabilities, 0.5);
    if (seen_ == 0) return;
    probabilities[last_] = (stays_ + 1) / (seen_ + 1);  // seen_ - 1 pairs
    probabilities[1 - last_] = 1 - probabilities[last_];
  }

 private:
  double stays_ = 0, seen_ = 0;
  Token last_ = 0;
};

}  // namespace

std::unique_ptr<SequencePredictor> make_uniform_predictor() {
  return std::make_unique<UniformPredictor>();
}

std::unique_ptr<SequencePredictor> make_ngram_predictor(std::size_t vocabulary, std::size_t n,
                                                        double pseudo_count) {
  return std::make_unique<NgramPredictor>(vocabulary, n, pseudo_count);
}

std::unique_ptr<SequencePredictor> make_shared_bigram_predictor() {
  return std::make_unique<SharedBigramPredictor>();
}

std::string ngram_name(std::size_t n) {
  static const std::string names[] = {"unigram", "bigram", "trigram"};
  return n <= 3 ? names[n - 1] : std::to_string(n) + "-gram";
}

}  // namespace lookback::data
