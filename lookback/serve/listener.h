// The door of a server: a listening socket at an address of this machine.
#pragma once

#include <cstdint>
#include <string>

#include "lookback/base/result.h"
#include "lookback/serve/descriptor.h"

namespace lookback::serve {

struct Listener {
  Descriptor socket;
  std::string host;     ///< as it was given
  std::string address;  ///< the number it stands for, such as "127.0.0.1" or "::1"
  std::uint16_t port = 0;
  bool everywhere = false;  ///< every address of this machine
  bool loopback = false;    ///< nobody outside this machine can reach it

  /// "http://127.0.0.1:8642/". For a server that listens everywhere, how this machine reaches it.
  std::string url() const;
};

/// Listens at the first address of `host` that allows it; port 0 is any free one. Errors: no such
/// address here, or the port is in use or not allowed.
Result<Listener> listen_at(const std::string& host, std::uint16_t port);

/// The next client, for whom it waits at most about half a second; none when none came. The socket
/// sends small writes at once.
Descriptor accept_from(const Listener& listener);

}  // namespace lookback::serve
