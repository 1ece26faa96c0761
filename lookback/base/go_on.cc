#include "lookback/base/go_on.h"

#include <algorithm>

namespace lookback::base {

Status run_while(const GoOn& go_on, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t, std::size_t)>& task) {
  // Workers wait for the slowest at the end of a wave: the more tasks it has, the less of its time.
  constexpr std::size_t tasks_a_worker = 8;
  const std::size_t wave =
      go_on ? tasks_a_worker * workers.count() : std::max<std::size_t>(tasks, 1);
  for (std::size_t begin = 0; begin < tasks; begin += wave) {
    const std::size_t count = std::min(wave, tasks - begin);
    workers.run(count, [&](std::size_t i, std::size_t worker) { task(begin + i, worker); });
    if (go_on && !go_on(begin + count, tasks)) return stopped();
  }
  return {};
}

}  // namespace lookback::base
