// What one client may ask of a server, and for how long.
#pragma once

#include <chrono>
#include <cstddef>

namespace lookback::serve {

struct Limits {
  std::size_t clients = 64;            ///< connections at once, event streams among them; then 503
  std::size_t streams = 32;            ///< event streams at once; then 503
  std::size_t requests = 200;          ///< of one connection, which is closed after the last
  std::size_t head_bytes = 16 * 1024;  ///< request line and headers together; then 431

  std::chrono::milliseconds idle{10'000};   ///< without the first byte of a request
  std::chrono::milliseconds head{10'000};   ///< from its first byte to its empty line; then 408
  std::chrono::milliseconds write{10'000};  ///< waiting for a reader, besides what is below
  std::size_t slowest_reader = 32 * 1024;   ///< bytes a second that buy more time to write
  std::chrono::milliseconds heartbeat{
      15'000};  ///< an event stream says something at least so often
};

}  // namespace lookback::serve
