#include "lookback/serve/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace lookback::serve {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// What a client that was told to go may still send, and for how long, before its socket is closed.
constexpr std::size_t most_drained = std::size_t{1} << 18;
constexpr milliseconds longest_drain(200);

/// Waits for one of `events`; false when the time is over.
bool wait_for(int socket, short events, SteadyClock::time_point until) {
  pollfd wanted{socket, events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - SteadyClock::now());
    const int timeout = static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, 60'000));
    const int ready = ::poll(&wanted, 1, timeout);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the call that follows tells what is wrong
    if (SteadyClock::now() >= until) return false;
  }
}

/// Where the first empty line at or after `from` ends; lines may lack their carriage return, which
/// is for the parser to refuse.
std::optional<std::size_t> end_of_head(std::string_view bytes, std::size_t from) {
  for (std::size_t at = bytes.find('\n', from); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    const std::string_view next = bytes.substr(at + 1, 2);
    if (next.starts_with('\n')) return at + 2;
    if (next == "\r\n") return at + 3;
  }
  return std::nullopt;
}

}  // namespace

Connection::Head Connection::read_head(std::string& head) {
  std::size_t looked = 0;
  Clock::time_point until = Clock::now() + (received_.empty() ? limits_.idle : limits_.head);
  std::array<char, 4096> chunk;
  for (;;) {
    if (const auto end = end_of_head(received_, looked); end && *end <= limits_.head_bytes) {
      head = received_.substr(0, *end);
      received_.erase(0, *end);
      return Head::complete;
    }
    if (received_.size() >= limits_.head_bytes) return Head::too_large;
    looked = received_.size() - std::min<std::size_t>(received_.size(), 2);
    if (!wait_for(socket_, POLLIN, until)) {
      return received_.empty() ? Head::silent : Head::too_slow;
    }
    const ssize_t count = ::recv(socket_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count == 0) return Head::closed;
    if (count < 0) {
      if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) continue;
      return Head::closed;
    }
    if (received_.empty()) until = Clock::now() + limits_.head;
    received_.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

void Connection::begin_response() {
  written_ = 0;
  waited_ = {};
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
      written_ += static_cast<std::size_t>(count);
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    const milliseconds earned(written_ * 1000 / limits_.slowest_reader);
    const Clock::time_point begin = Clock::now();
    const bool ready = wait_for(socket_, POLLOUT, begin + limits_.write + earned - waited_);
    waited_ += Clock::now() - begin;
    if (!ready) return false;
  }
  return true;
}

bool Connection::client_is_gone() const {
  char byte = 0;
  const ssize_t count = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool Connection::refuse(std::string_view status, std::string_view headers) {
  begin_response();
  std::string answer = "HTTP/1.1 ";
  answer += status;
  answer += "\r\n";
  answer += headers;
  answer +=
      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
      "Content-Length: 0\r\nConnection: close\r\n\r\n";
  return write(answer);
}

void Connection::finish() const {
  ::shutdown(socket_, SHUT_WR);
  const Clock::time_point until = Clock::now() + longest_drain;
  std::array<char, 4096> ignored;
  for (std::size_t drained = 0; drained < most_drained;) {
    if (!wait_for(socket_, POLLIN, until)) return;
    const ssize_t count = ::recv(socket_, ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (count <= 0) return;
    drained += static_cast<std::size_t>(count);
  }
}

}  // namespace lookback::serve
