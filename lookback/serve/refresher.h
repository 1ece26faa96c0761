// Looks at the study again and again, and posts what it finds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "lookback/report/page_parts.h"
#include "lookback/serve/board.h"

namespace lookback::serve {

/// A thread that calls refresh at once and then `pause` after each return, until it is destroyed;
/// a call that is under way is waited for. An error leaves the board as it is, and is given to
/// `tell` once: again only when it says something else or came back after a success.
class Refresher {
 public:
  /// `board` must outlive it. `tell` is called from the thread.
  Refresher(report::Refresh refresh, std::chrono::milliseconds pause, Board& board,
            std::function<void(const Error&)> tell);
  ~Refresher();
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

 private:
  void work();
  void refresh_once();

  const report::Refresh refresh_;
  const std::chrono::milliseconds pause_;
  Board& board_;
  const std::function<void(const Error&)> tell_;
  std::string told_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lookback::serve
