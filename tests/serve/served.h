// A server over a temporary directory, with a study that the test changes by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lookback/serve/server.h"
#include "tests/base/temporary_directory.h"

namespace lookback::serve::spec {

/// What refresh finds; from any thread.
class FakeStudy {
 public:
  /// Gives the part another text and the next version.
  void set(const std::string& name, const std::string& text);
  void remove(const std::string& name);
  /// What refresh fails with from now on; nothing: it succeeds.
  void fail(const std::optional<std::string>& message);
  std::size_t refreshes() const;

  Result<report::PageParts> refresh();

 private:
  mutable std::mutex mutex_;
  report::PageParts parts_;
  std::optional<std::string> failure_;
  std::size_t refreshes_ = 0;
};

extern const char* const page_text;

/// Starts at any free port with refreshes every few milliseconds.
class Served {
 public:
  explicit Served(const Limits& limits = {}, const std::string& host = default_host);

  std::uint16_t port() const { return server_->port(); }
  Server& server() { return *server_; }
  FakeStudy& study() { return *study_; }
  const test::TemporaryDirectory& directory() const { return directory_; }
  std::vector<std::string> told() const;

  /// Writes a file below the directory, with the folders above it.
  void write(const std::string& path, const std::string& text) const;

  /// Whether it gives the page: it is asked again for a while when it has no place.
  bool answers() const;

  /// Returns when a refresh that began after the call has been posted.
  void wait_for_refresh() const;

 private:
  test::TemporaryDirectory directory_;
  std::shared_ptr<FakeStudy> study_ = std::make_shared<FakeStudy>();
  struct Told {
    std::mutex mutex;
    std::vector<std::string> messages;
  };
  std::shared_ptr<Told> told_ = std::make_shared<Told>();
  std::unique_ptr<Server> server_;
};

}  // namespace lookback::serve::spec
