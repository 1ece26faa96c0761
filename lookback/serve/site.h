// What the server answers: the routes, their headers, and the conversation with one client.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "lookback/serve/board.h"
#include "lookback/serve/connection.h"
#include "lookback/serve/limits.h"
#include "lookback/serve/listener.h"

namespace lookback::serve {

/// Speaks HTTP/1.1 by way of cpp-httplib, whose header is read by site.cc alone; sockets and
/// threads are the caller's. docs/formats.md lists the routes.
class Site {
 public:
  /// All that is referred to must outlive the site.
  Site(std::filesystem::path directory, std::string page, const Board& board,
       const Listener& listener, const Limits& limits);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  /// Answers the requests of one client until it is done, misbehaves, or stop(). Any number of
  /// threads may do this at a time.
  void converse(Connection& connection);

  /// Answers that are under way end early. The board must be closed, too, for event streams.
  void stop();

 private:
  class Http;
  std::unique_ptr<Http> http_;
  const Limits& limits_;
};

}  // namespace lookback::serve
