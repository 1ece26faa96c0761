#include "lookback/base/go_on.h"

#include <atomic>

namespace lookback::base {

Status run_while(const GoOn& go_on, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t, std::size_t)>& task) {
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> going_on = true;
  workers.run(tasks, [&](std::size_t index, std::size_t worker) {
    if (!going_on) return;
    task(index, worker);
    const std::size_t so_far = ++done;
    // Worker 0 is the calling thread. What the last task is told does not matter.
    if (worker == 0 && go_on && !go_on(so_far, tasks)) going_on = false;
  });
  return done == tasks ? Status() : stopped();
}

}  // namespace lookback::base
