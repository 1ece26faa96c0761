#include "lookback/language/predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

namespace lookback::language {
namespace {

/// Lengths are rounded up to multiples of it: few enough different ones, little work in vain.
constexpr std::size_t length_step = 32;

}  // namespace

Status Predictor::check(std::span<const data::Token> sequence) const {
  const model::Architecture& architecture = program_.architecture;
  if (sequence.empty() || sequence.size() > architecture.context) {
    return Error{fmt::format("found a sequence of {} tokens, allowed: 1 to {}, the model's context",
                             sequence.size(), architecture.context)};
  }
  const data::Token largest = std::ranges::max(sequence);
  if (largest < architecture.vocabulary) return {};
  return Error{fmt::format("found token {}, allowed: below {}, the model's vocabulary", largest,
                           architecture.vocabulary)};
}

Status Predictor::run(std::span<const std::span<const data::Token>> sequences,
                      const See& see) const {
  std::map<std::size_t, std::vector<std::size_t>> by_length;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (Status status = check(sequences[i]); !status) return status;
    const std::size_t rounded = (sequences[i].size() + length_step - 1) / length_step * length_step;
    by_length[std::min(rounded, program_.architecture.context)].push_back(i);
  }
  std::size_t done = 0;
  for (const auto& [length, members] : by_length) {
    if (Status run = run_bucket(length, members, sequences, see, done); !run) return run;
    done += members.size();
  }
  return {};
}

Status Predictor::run_bucket(std::size_t length, std::span<const std::size_t> members,
                             std::span<const std::span<const data::Token>> sequences,
                             const See& see, std::size_t done) const {
  struct Bench {
    Bench(const model::Program& program, std::size_t length)
        : executor(program, 1, length, model::Keep::logits), tokens(length) {}
    model::Executor<float> executor;
    std::vector<data::Token> tokens;
  };
  std::vector<std::unique_ptr<Bench>> benches(workers_.count());  // each made where it is needed
  base::GoOn go_on;
  if (go_on_)
    go_on = [&](std::size_t more, std::size_t) { return go_on_(done + more, sequences.size()); };
  return base::run_while(
      go_on, workers_, members.size(), [&](std::size_t task, std::size_t worker) {
        std::unique_ptr<Bench>& bench = benches[worker];
        if (!bench) bench = std::make_unique<Bench>(program_, length);
        const std::span<const data::Token> sequence = sequences[members[task]];
        const auto filling = std::ranges::copy(sequence, bench->tokens.begin()).out;
        std::fill(filling, bench->tokens.end(), data::Token{0});
        bench->executor.forward(parameters_, bench->tokens);
        see(members[task], bench->executor.logits().row_block(0, sequence.size()));
      });
}

}  // namespace lookback::language
