#include "lookback/serve/board.h"

#include <optional>
#include <utility>

#include "lookback/serve/gzip.h"

namespace lookback::serve {
namespace {

/// Shorter texts fit into one packet as they are.
constexpr std::size_t least_gzipped = 1024;

}  // namespace

std::shared_ptr<const std::string> PostedPart::gzipped() const {
  std::call_once(once_, [this] {
    if (part_->text.size() < least_gzipped) return;
    std::optional<std::string> packed = gzip(part_->text);
    if (packed) gzipped_ = std::make_shared<const std::string>(std::move(*packed));
  });
  return gzipped_;
}

void Board::post(const report::PageParts& parts) {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<const PostedPart>> posted;
  std::map<std::string, std::uint64_t> versions;
  for (const auto& [name, part] : parts) {
    if (!part) continue;
    const auto before = parts_.find(name);
    const bool same = before != parts_.end() && before->second->part() == part;
    posted[name] = same ? before->second : std::make_shared<const PostedPart>(part);
    versions[name] = part->version;
  }
  parts_ = std::move(posted);
  if (versions == news_.versions) return;
  news_ = {news_.number + 1, std::move(versions)};
  changed_.notify_all();
}

std::shared_ptr<const PostedPart> Board::part(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = parts_.find(name);
  return found == parts_.end() ? nullptr : found->second;
}

News Board::news() const {
  const std::lock_guard lock(mutex_);
  return news_;
}

void Board::wait(std::uint64_t seen, std::chrono::milliseconds longest) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return closed_ || news_.number != seen; });
}

void Board::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace lookback::serve
