#include "lookback/model/cpu_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "lookback/base/require.h"
#include "lookback/math/targets.h"
#include "lookback/model/lane.h"

namespace lookback::model {
namespace {

/// Jobs that one worker takes one after another: those of one sequence, beginning with the one
/// whose first edit is latest in the model.
struct Task {
  std::vector<std::size_t> jobs;
};

bool is_same_sequence(const Job& a, const Job& b) {
  return a.tokens.data() == b.tokens.data() && a.tokens.size() == b.tokens.size();
}

/// Cuts the jobs of one sequence into this many parts of about equal size.
void add_tasks(std::vector<std::size_t> jobs, std::size_t parts, std::vector<Task>& tasks) {
  parts = std::clamp<std::size_t>(parts, 1, jobs.size());
  for (std::size_t part = 0; part < parts; ++part) {
    const auto begin = jobs.begin() + static_cast<std::ptrdiff_t>(part * jobs.size() / parts);
    const auto end = jobs.begin() + static_cast<std::ptrdiff_t>((part + 1) * jobs.size() / parts);
    tasks.push_back({{begin, end}});
  }
}

/// `first`: by job, its first step.
std::vector<Task> tasks_of(std::span<const Job> jobs, std::span<const std::size_t> first,
                           std::size_t workers) {
  std::vector<std::vector<std::size_t>> sequences;
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    if (job == 0 || !is_same_sequence(jobs[job - 1], jobs[job])) sequences.emplace_back();
    sequences.back().push_back(job);
  }
  constexpr std::size_t tasks_a_worker = 4;  // so that none waits long for the last of another
  const std::size_t parts = workers == 1 ? 1 : tasks_a_worker * workers / sequences.size() + 1;
  std::vector<Task> tasks;
  for (std::vector<std::size_t>& sequence : sequences) {
    std::ranges::stable_sort(sequence, [&](auto a, auto b) { return first[a] > first[b]; });
    add_tasks(std::move(sequence), parts, tasks);
  }
  return tasks;
}

/// A session of one program: for each worker, a lane of the length that it ran last.
template <class N>
class CpuSession final : public Session {
 public:
  CpuSession(const Program& program, Keep keep, base::Workers& workers)
      : program_(program), keep_(keep), workers_(workers), lanes_(workers.count()) {}

  Status forward(std::span<const float> parameters, std::span<const Job> jobs, Observer& observer,
                 const base::Control& control) override {
    std::vector<std::size_t> first;
    for (const Job& job : jobs) {
      if (Status fits = check(parameters, job); !fits) return fits;
      const auto step = first_step(program_, job.plan == nullptr ? Plan{} : *job.plan);
      if (!step) return step.error();
      first.push_back(*step);
    }
    const std::span<const N> numbers = converted(parameters);
    for (const auto& lane : lanes_) {
      if (lane) lane->forget();
    }
    const std::vector<Task> tasks =
        jobs.empty() ? std::vector<Task>() : tasks_of(jobs, first, workers_.count());
    std::vector<Status> statuses(jobs.size());
    const auto run = [&](std::size_t task, std::size_t worker) {
      for (const std::size_t job : tasks[task].jobs) {
        statuses[job] = lane_of(worker, jobs[job].tokens.size())
                            .forward(numbers, jobs[job], first[job], job, observer);
      }
    };
    if (Status ran = base::run_tasks(control, workers_, tasks.size(), run); !ran) return ran;
    return first_error(statuses);
  }

  Status backward(std::span<const float> parameters, std::span<const Shard> shards) override {
    LOOKBACK_REQUIRE(keep_ == Keep::everything);
    for (const Shard& shard : shards) {
      for (const Job& job : shard.jobs) {
        if (Status fits = check(parameters, job); !fits) return fits;
      }
    }
    const std::span<const N> numbers = converted(parameters);
    std::vector<Status> statuses(shards.size());
    workers_.run(shards.size(), [&](std::size_t shard, std::size_t worker) {
      statuses[shard] = run_shard(shards[shard], worker, numbers);
    });
    return first_error(statuses);
  }

 private:
  Status check(std::span<const float> parameters, const Job& job) const {
    const Token largest = job.tokens.empty() ? 0 : std::ranges::max(job.tokens);
    return check_inputs(program_, parameters, job.tokens.size(), std::size_t{largest} + 1);
  }

  static Status first_error(std::span<const Status> statuses) {
    const auto wrong = std::ranges::find_if(statuses, [](const Status& s) { return !s; });
    return wrong == statuses.end() ? Status() : *wrong;
  }

  Status run_shard(const Shard& shard, std::size_t worker, std::span<const N> parameters) {
    if constexpr (std::is_same_v<N, float>) {
      std::ranges::fill(shard.gradient, 0.0F);
      return run_shard(shard, worker, parameters, shard.gradient);
    } else {
      std::vector<N> sum(shard.gradient.size());
      Status ran = run_shard(shard, worker, parameters, sum);
      std::ranges::transform(sum, shard.gradient.begin(),
                             [](N number) { return static_cast<float>(number); });
      return ran;
    }
  }

  Status run_shard(const Shard& shard, std::size_t worker, std::span<const N> parameters,
                   std::span<N> sum) {
    for (std::size_t job = 0; job < shard.jobs.size(); ++job) {
      const Result<double> loss =
          lane_of(worker, shard.jobs[job].tokens.size())
              .backward(parameters, shard.jobs[job], static_cast<N>(shard.weight), sum);
      if (!loss) return loss.error();
      shard.losses[job] = *loss;
    }
    return {};
  }

  /// Made by the worker itself, so that its memory is near the core that uses it.
  Lane<N>& lane_of(std::size_t worker, std::size_t length) {
    std::unique_ptr<Lane<N>>& lane = lanes_[worker];
    if (!lane || lane->length() != length) {
      lane.reset();  // before the next takes its memory
      lane = std::make_unique<Lane<N>>(program_, length, keep_);
    }
    return *lane;
  }

  std::span<const N> converted(std::span<const float> parameters) {
    if constexpr (std::is_same_v<N, float>) {
      return parameters;
    } else {
      parameters_.assign(parameters.begin(), parameters.end());
      return parameters_;
    }
  }

  const Program& program_;
  Keep keep_;
  base::Workers& workers_;
  std::vector<std::unique_ptr<Lane<N>>> lanes_;
  std::vector<N> parameters_;  ///< if N is not float
};

}  // namespace

std::string CpuEngine::bits() const {
  return fmt::format("float32 {}", math::active_instruction_set());
}

std::unique_ptr<Session> CpuEngine::open(const Program& program, Keep keep) {
  return std::make_unique<CpuSession<float>>(program, keep, workers());
}

std::unique_ptr<Session> ScalarEngine::open(const Program& program, Keep keep) {
  return std::make_unique<CpuSession<double>>(program, keep, workers());
}

}  // namespace lookback::model
