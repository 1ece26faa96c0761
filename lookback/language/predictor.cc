#include "lookback/language/predictor.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace lookback::language {
namespace {

/// Lengths are rounded up to multiples of this: few different lengths, little wasted work.
constexpr std::size_t length_step = 32;

/// Shows only the rows of each sequence's own tokens, without padding.
class Rows final : public model::Observer {
 public:
  Rows(std::span<const std::size_t> members,
       std::span<const std::span<const data::Token>> sequences, const Predictor::See& see)
      : members_(members), sequences_(sequences), see_(see) {}

  void output(std::size_t job, model::Output& output) override {
    const std::size_t member = members_[job];
    see_(member, output.logits().row_block(0, sequences_[member].size()));
  }

 private:
  std::span<const std::size_t> members_;
  std::span<const std::span<const data::Token>> sequences_;
  const Predictor::See& see_;
};

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
  const auto session = engine_.open(program_, model::Keep::logits);
  std::size_t done = 0;
  for (const auto& [length, members] : by_length) {
    if (Status run = run_bucket(*session, length, members, sequences, see, done); !run) return run;
    done += members.size();
  }
  return {};
}

Status Predictor::run_bucket(model::Session& session, std::size_t length,
                             std::span<const std::size_t> members,
                             std::span<const std::span<const data::Token>> sequences,
                             const See& see, std::size_t done) const {
  std::vector<std::vector<data::Token>> filled;
  std::vector<model::Job> jobs;
  jobs.reserve(members.size());
  for (const std::size_t member : members) {
    filled.emplace_back(sequences[member].begin(), sequences[member].end());
    filled.back().resize(length);
  }
  for (const auto& tokens : filled) jobs.push_back({tokens, nullptr});
  Rows rows(members, sequences, see);
  base::Control control{control_.stop, {}};
  if (control_.progress) {
    control.progress = [&](std::size_t more, std::size_t) {
      control_.progress(done + more, sequences.size());
    };
  }
  return session.forward(parameters_, jobs, rows, control);
}

}  // namespace lookback::language
