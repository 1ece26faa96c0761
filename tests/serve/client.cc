#include "tests/serve/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <utility>

namespace lookback::serve::spec {
namespace {

using TestClock = std::chrono::steady_clock;

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string Answer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Answer parse_answer(std::string_view bytes) {
  Answer answer;
  constexpr std::string_view protocol = "HTTP/1.1 ";
  if (!bytes.starts_with(protocol)) return answer;
  answer.status = static_cast<int>(number_in(bytes.substr(protocol.size())));
  std::size_t at = bytes.find("\r\n");
  while (at != std::string_view::npos) {
    bytes.remove_prefix(at + 2);
    at = bytes.find("\r\n");
    if (at == 0 || at == std::string_view::npos) break;
    const std::string_view line = bytes.substr(0, at);
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      answer.headers[in_lower_case(line.substr(0, colon))] = line.substr(colon + 2);
    }
  }
  if (at == 0) answer.body = bytes.substr(2);
  return answer;
}

Client::Client(std::uint16_t port, int receive_buffer) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0) {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
      0) {
    socket_ = std::move(socket);
  }
}

Client& Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return *this;
}

Client& Client::end_sending() {
  ::shutdown(socket_.number(), SHUT_WR);
  return *this;
}

bool Client::receive(TestClock::time_point until) {
  if (ended_ || !socket_) return false;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - TestClock::now());
  pollfd wanted{socket_.number(), POLLIN, 0};
  if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) return false;
  std::array<char, 65536> bytes;
  const ssize_t count = ::recv(socket_.number(), bytes.data(), bytes.size(), 0);
  ended_ = count <= 0;
  if (count > 0) received_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string Client::read_all(std::chrono::milliseconds limit) {
  const TestClock::time_point until = TestClock::now() + limit;
  while (receive(until)) {
  }
  return std::exchange(received_, {});
}

std::optional<std::string> Client::read_until(std::string_view text,
                                              std::chrono::milliseconds limit) {
  const TestClock::time_point until = TestClock::now() + limit;
  std::size_t at = received_.find(text);
  while (at == std::string::npos) {
    if (!receive(until)) return std::nullopt;
    at = received_.find(text);
  }
  std::string read = received_.substr(0, at + text.size());
  received_.erase(0, read.size());
  return read;
}

std::string Client::read_bytes(std::size_t count, std::chrono::milliseconds limit) {
  const TestClock::time_point until = TestClock::now() + limit;
  while (received_.size() < count && receive(until)) {
  }
  std::string read = received_.substr(0, count);
  received_.erase(0, read.size());
  return read;
}

Answer Client::read_answer() {
  const std::optional<std::string> head = read_until("\r\n\r\n");
  Answer answer = parse_answer(head.value_or(""));
  answer.body = read_bytes(number_in(answer.header("content-length")));
  return answer;
}

bool Client::ends(std::chrono::milliseconds limit) {
  const TestClock::time_point until = TestClock::now() + limit;
  while (receive(until)) {
  }
  return ended_;
}

void Client::drop() {
  const linger at_once{1, 0};
  ::setsockopt(socket_.number(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_ = Descriptor();
}

std::string get(std::string_view path, std::string_view headers) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
         std::string(headers) + "\r\n";
}

Answer ask(std::uint16_t port, std::string_view request) {
  return parse_answer(Client(port).send(request).read_all());
}

}  // namespace lookback::serve::spec
