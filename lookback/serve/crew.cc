#include "lookback/serve/crew.h"

#include <sys/socket.h>

#include <exception>
#include <system_error>

namespace lookback::serve {

Crew::Crew(std::size_t threads, std::size_t sockets, std::function<void(int)> work)
    : most_threads_(threads), most_sockets_(sockets), work_(std::move(work)) {}

Crew::~Crew() { stop(); }

bool Crew::take(Descriptor& socket) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() + in_work_.size() >= most_sockets_) return false;
  const bool needs_thread = idle_ <= waiting_.size() && threads_.size() < most_threads_;
  if (needs_thread && !start_thread() && threads_.empty()) return false;
  waiting_.push_back(std::move(socket));
  changed_.notify_one();
  return true;
}

/// False when the system gives no further thread: then those there are do the work.
bool Crew::start_thread() {
  try {
    threads_.emplace_back([this] { labor(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Crew::labor() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    --idle_;
    if (stopping_) return;
    const Descriptor socket = std::move(waiting_.front());
    waiting_.pop_front();
    in_work_.insert(socket.number());
    lock.unlock();
    do_work(socket);
    lock.lock();
    in_work_.erase(socket.number());  // before it is closed: the number may come again
  }
}

void Crew::do_work(const Descriptor& socket) {
  try {
    work_(socket.number());
  } catch (const std::exception&) {  // its connection ends without an answer
    ::shutdown(socket.number(), SHUT_RDWR);
  }
}

void Crew::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : in_work_) ::shutdown(socket, SHUT_RDWR);
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  waiting_.clear();
}

}  // namespace lookback::serve
