// Threads that each look after one client at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "lookback/serve/descriptor.h"

namespace lookback::serve {

/// Does `work` with sockets, in threads that are started when they are first needed.
class Crew {
 public:
  /// `threads` and `sockets`: the most there may be at once, 1 or more of each. What work throws
  /// (memory ran out) costs its own client alone.
  Crew(std::size_t threads, std::size_t sockets, std::function<void(int socket)> work);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Takes the socket over, does the work and closes it. False, and the socket stays the caller's,
  /// when there are as many as there may be.
  bool take(Descriptor& socket);

  /// Shuts down every socket in work, so that reading and writing end, and waits for the threads.
  void stop();

 private:
  void labor();
  void do_work(const Descriptor& socket);
  bool start_thread();

  const std::size_t most_threads_, most_sockets_;
  const std::function<void(int)> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Descriptor> waiting_;
  std::set<int> in_work_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lookback::serve
