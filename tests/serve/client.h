// A client that says over a real socket what no browser would, and reads what comes back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lookback/serve/descriptor.h"

namespace lookback::serve::spec {

/// Far more than anything here takes on a machine that is busy with other things.
inline constexpr std::chrono::seconds generous(30);

/// An answer, taken apart. Names of headers are in lower case.
struct Answer {
  int status = 0;  ///< 0: there was none
  std::map<std::string, std::string> headers;
  std::string body;

  std::string header(const std::string& name) const;
};

/// Takes the bytes of an answer apart; what follows its first empty line is the body.
Answer parse_answer(std::string_view bytes);

/// A connection to a port of 127.0.0.1.
class Client {
 public:
  /// With `receive_buffer` bytes for what it has not read yet, where that is given.
  explicit Client(std::uint16_t port, int receive_buffer = 0);

  bool is_connected() const { return static_cast<bool>(socket_); }

  /// Sends as many of the bytes as the other side takes.
  Client& send(std::string_view bytes);

  /// Sends no more, but goes on reading.
  Client& end_sending();

  /// Everything up to the end of the connection, or, if it does not end, until `limit` is over.
  std::string read_all(std::chrono::milliseconds limit = generous);

  /// Reads until the bytes received since the last call contain `text`, and returns them up to and
  /// including it; nothing when the connection or the time ends before.
  std::optional<std::string> read_until(std::string_view text,
                                        std::chrono::milliseconds limit = generous);

  /// Reads so many bytes, or fewer when the connection or the time ends before.
  std::string read_bytes(std::size_t count, std::chrono::milliseconds limit = generous);

  /// One answer with its Content-Length, on a connection that may go on.
  Answer read_answer();

  /// Whether the other side ends the connection in time.
  bool ends(std::chrono::milliseconds limit = generous);

  /// Ends it at once, without goodbye.
  void drop();

 private:
  bool receive(std::chrono::steady_clock::time_point until);

  Descriptor socket_;
  std::string received_;
  bool ended_ = false;
};

/// "GET /path HTTP/1.1" with a Host that is right, `headers` (each with "\r\n"), and the connection
/// to be closed afterwards.
std::string get(std::string_view path, std::string_view headers = {});

/// Sends the bytes on a connection of their own and reads until it ends.
Answer ask(std::uint16_t port, std::string_view request);

}  // namespace lookback::serve::spec
