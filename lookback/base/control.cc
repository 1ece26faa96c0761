#include "lookback/base/control.h"

#include <atomic>

namespace lookback::base {

Status run_tasks(const Control& control, Workers& workers, std::size_t tasks,
                 const std::function<void(std::size_t, std::size_t)>& task) {
  std::atomic<std::size_t> done = 0;
  workers.run(tasks, [&](std::size_t index, std::size_t worker) {
    if (control.stop.stop_requested()) return;
    task(index, worker);
    const std::size_t so_far = ++done;
    if (worker == 0 && control.progress) control.progress(so_far, tasks);  // the calling thread
  });
  return done == tasks ? Status() : stopped();
}

}  // namespace lookback::base
