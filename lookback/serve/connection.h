// The bytes of one client: the head of a request within its limits, and writing with patience.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "lookback/serve/limits.h"

namespace lookback::serve {

/// One client's socket, which somebody else owns and may shut down from another thread: then
/// reading finds the end and writing fails.
class Connection {
 public:
  Connection(int socket, const Limits& limits) : socket_(socket), limits_(limits) {}

  /// How reading a head ended. `silent`: no byte of it came in time.
  enum class Head { complete, closed, silent, too_slow, too_large };

  /// Reads the next request up to its empty line, which the bytes in `head` end with. What follows
  /// it is kept for the next call.
  Head read_head(std::string& head);

  /// Writes all of it. False when the client is gone or reads too slowly. The time it may keep the
  /// server waiting is counted since begin_response().
  bool write(std::string_view bytes);
  void begin_response();

  /// Whether it closed its end, as far as can be told without waiting.
  bool client_is_gone() const;

  /// Writes a whole answer that says no more than its status, such as "503 Service Unavailable",
  /// and that the connection ends. `headers`: further lines, each with its "\r\n".
  bool refuse(std::string_view status, std::string_view headers = {});

  /// Ends the conversation so that the client can still read what was written: a socket that is
  /// closed with unread bytes in it takes its answer along.
  void finish() const;

  int socket() const { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  int socket_;
  const Limits& limits_;
  std::string received_;
  std::size_t written_ = 0;
  Clock::duration waited_{};
};

}  // namespace lookback::serve
