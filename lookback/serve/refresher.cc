#include "lookback/serve/refresher.h"

#include <exception>
#include <new>
#include <utility>

namespace lookback::serve {
namespace {

/// What memory that ran out, or a foreign library, throws becomes an error like others: a thread
/// must not end the program.
Result<report::PageParts> guarded(const report::Refresh& refresh) {
  try {
    return refresh();
  } catch (const std::bad_alloc&) {
    return Error{"not enough memory to look at the study", ErrorKind::failed};
  } catch (const std::exception& error) {
    return Error{error.what(), ErrorKind::failed};
  }
}

}  // namespace

Refresher::Refresher(report::Refresh refresh, std::chrono::milliseconds pause, Board& board,
                     std::function<void(const Error&)> tell)
    : refresh_(std::move(refresh)), pause_(pause), board_(board), tell_(std::move(tell)) {
  thread_ = std::thread([this] { work(); });
}

Refresher::~Refresher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Refresher::work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    refresh_once();
    lock.lock();
    changed_.wait_for(lock, pause_, [this] { return stopping_; });
  }
}

void Refresher::refresh_once() {
  const Result<report::PageParts> parts = guarded(refresh_);
  if (parts) {
    told_.clear();
    board_.post(*parts);
  } else if (parts.error().message != told_) {
    told_ = parts.error().message;
    if (tell_) tell_(parts.error());
  }
}

}  // namespace lookback::serve
