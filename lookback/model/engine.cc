#include "lookback/model/engine.h"

#include <fmt/format.h>

namespace lookback::model {
namespace {

class Keeper final : public Observer {
 public:
  explicit Keeper(std::size_t jobs) : results(jobs) {}

  void activation(std::size_t job, const Place& place, math::Matrix<const float> x) override {
    results[job].recording.put(place.name, place.head, x);
  }
  void output(std::size_t job, Output& output) override {
    const std::span<const float> losses = output.losses();
    results[job].losses.assign(losses.begin(), losses.end());
  }

  std::vector<JobResult> results;
};

}  // namespace

std::string Engine::signature() const { return fmt::format("{} {}", name(), bits()); }

std::string signature_of(std::string_view instruction_set) {
  return instruction_set.empty() ? "" : fmt::format("cpu float32 {}", instruction_set);
}

void Observer::activation(std::size_t, const Place&, math::Matrix<const float>) {}

Status check_inputs(const Program& program, std::span<const float> parameters, std::size_t length,
                    std::size_t vocabulary) {
  const Architecture& architecture = program.architecture;
  if (parameters.size() != program.buffer_size) {
    return Error{fmt::format("found a buffer of {} parameters, allowed {}, the model's",
                             parameters.size(), program.buffer_size)};
  }
  if (length < 2 || length > architecture.context) {
    return Error{fmt::format("found sequences of {} tokens, allowed 2 to {}, the model's context",
                             length, architecture.context)};
  }
  if (vocabulary > architecture.vocabulary) {
    return Error{fmt::format("found a vocabulary of {} tokens, allowed at most {}, the model's",
                             vocabulary, architecture.vocabulary)};
  }
  return {};
}

Result<std::vector<JobResult>> run_jobs(Session& session, std::span<const float> parameters,
                                        std::span<const Job> jobs) {
  Keeper keeper(jobs.size());
  if (Status run = session.forward(parameters, jobs, keeper); !run) return run.error();
  return std::move(keeper.results);
}

}  // namespace lookback::model
