// A fixed set of threads that share out numbered tasks.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lookback::base {

/// Threads that live as long as the object. A task must not depend on which worker runs it or on
/// the order; then results do not depend on the number of threads. Not for several callers at a
/// time.
class Workers {
 public:
  /// `count` >= 1; the calling thread is one of them, so 1 starts none.
  explicit Workers(std::size_t count);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return threads_.size() + 1; }

  /// Runs task(index, worker) for every index below `tasks`, each once, and returns when all are
  /// done. `worker` is below count(): which scratch memory the task may use. If a task throws
  /// (memory ran out), no further tasks are started, and the first exception is rethrown to the
  /// caller.
  void run(std::size_t tasks, const std::function<void(std::size_t, std::size_t)>& task);

 private:
  void serve(std::size_t worker);
  void take_tasks(std::size_t worker);

  std::mutex mutex_;
  std::condition_variable start_, finish_;
  const std::function<void(std::size_t, std::size_t)>* task_ = nullptr;
  std::size_t tasks_ = 0;
  std::size_t next_ = 0;
  std::size_t busy_ = 0;
  std::size_t round_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

/// Processors this process may use (its affinity, not the machine's size); at least 1.
std::size_t usable_processors();

}  // namespace lookback::base
