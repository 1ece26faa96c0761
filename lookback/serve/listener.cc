#include "lookback/serve/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>

#include "lookback/base/printable.h"

namespace lookback::serve {
namespace {

constexpr int backlog = 128;
constexpr int accept_wait = 500;  // ms
constexpr std::chrono::milliseconds without_descriptors(20);

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> addresses_of(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  Addresses addresses(list);
  if (code == 0) return addresses;
  return Error{fmt::format("--host {}: {}", base::printable(host), ::gai_strerror(code))};
}

/// A socket that listens there, or none with the reason in errno.
Descriptor listen_on(const addrinfo& address) {
  Descriptor socket(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                             address.ai_protocol));
  const int on = 1;
  // What an earlier server left in TIME_WAIT does not keep the port; one that listens does.
  if (socket && ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::bind(socket.number(), address.ai_addr, address.ai_addrlen) == 0 &&
      ::listen(socket.number(), backlog) == 0) {
    return socket;
  }
  return {};
}

/// Fills in where the socket came to listen.
bool describe(Listener& listener) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  auto* general = reinterpret_cast<sockaddr*>(&bound);
  if (::getsockname(listener.socket.number(), general, &size) != 0) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bound.ss_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &bound, sizeof six);
    listener.port = ntohs(six.sin6_port);
    listener.everywhere = IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr);
    listener.loopback = IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  } else {
    sockaddr_in four{};
    std::memcpy(&four, &bound, sizeof four);
    listener.port = ntohs(four.sin_port);
    listener.everywhere = four.sin_addr.s_addr == htonl(INADDR_ANY);
    listener.loopback = ntohl(four.sin_addr.s_addr) >> 24U == IN_LOOPBACKNET;
    ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  }
  listener.address = text.data();
  return true;
}

}  // namespace

std::string Listener::url() const {
  const bool six = address.find(':') != std::string::npos;
  const std::string reached = !everywhere ? address : six ? "::1" : "127.0.0.1";
  return six ? fmt::format("http://[{}]:{}/", reached, port)
             : fmt::format("http://{}:{}/", reached, port);
}

Result<Listener> listen_at(const std::string& host, std::uint16_t port) {
  const Result<Addresses> addresses = addresses_of(host, port);
  if (!addresses) return addresses.error();
  int why = EADDRNOTAVAIL;
  for (const addrinfo* one = addresses->get(); one != nullptr; one = one->ai_next) {
    Listener listener;
    listener.socket = listen_on(*one);
    listener.host = host;
    if (listener.socket && describe(listener)) return listener;
    why = errno;
  }
  const std::string place = fmt::format("{} port {}", base::printable(host), port);
  if (why == EADDRINUSE) {
    return Error{fmt::format("{}: in use; --port 0 takes any free one", place), ErrorKind::busy};
  }
  return Error{fmt::format("{}: {}", place, std::generic_category().message(why)),
               ErrorKind::failed};
}

Descriptor accept_from(const Listener& listener) {
  pollfd wanted{listener.socket.number(), POLLIN, 0};
  if (::poll(&wanted, 1, accept_wait) <= 0) return {};
  Descriptor client(
      ::accept4(listener.socket.number(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client) {
    // Whatever it is (the client is gone again, there are no descriptors left), it passes.
    if (errno != EAGAIN && errno != EINTR) std::this_thread::sleep_for(without_descriptors);
    return {};
  }
  const int on = 1;
  ::setsockopt(client.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return client;
}

}  // namespace lookback::serve
