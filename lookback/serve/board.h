// The newest parts of the page's data, and the news that there are newer ones.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lookback/report/page_parts.h"

namespace lookback::serve {

/// A part as it is sent; from any thread.
class PostedPart {
 public:
  explicit PostedPart(std::shared_ptr<const report::PagePart> part) : part_(std::move(part)) {}

  const std::shared_ptr<const report::PagePart>& part() const { return part_; }

  /// The text in the gzip format, made when it is first asked for; null when it is not worth it.
  std::shared_ptr<const std::string> gzipped() const;

 private:
  std::shared_ptr<const report::PagePart> part_;
  mutable std::once_flag once_;
  mutable std::shared_ptr<const std::string> gzipped_;
};

/// What versions there are. `number` grows whenever the versions change.
struct News {
  std::uint64_t number = 0;
  std::map<std::string, std::uint64_t> versions;
};

/// One thread posts, any number read and wait.
class Board {
 public:
  /// Replaces what is there, and wakes those who wait when a version is another one.
  void post(const report::PageParts& parts);

  /// The part of that name, null while there is none.
  std::shared_ptr<const PostedPart> part(const std::string& name) const;

  News news() const;

  /// Waits until the news have another number than `seen`, the time is over, or close().
  void wait(std::uint64_t seen, std::chrono::milliseconds longest) const;

  /// Nobody waits any more.
  void close();

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<const PostedPart>> parts_;
  News news_;
  bool closed_ = false;
};

}  // namespace lookback::serve
