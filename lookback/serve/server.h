// A page, its data and files of a directory over HTTP, to browsers of this machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "lookback/base/result.h"
#include "lookback/report/page_parts.h"
#include "lookback/serve/limits.h"

namespace lookback::serve {

inline constexpr const char* default_host = "127.0.0.1";
inline constexpr std::uint16_t default_port = 8642;

struct Options {
  std::string host = default_host;
  std::uint16_t port = default_port;  ///< 0: any free one
  std::filesystem::path directory;    ///< whose files may be downloaded
  std::string page;                   ///< HTML
  report::Refresh refresh;
  std::chrono::milliseconds refresh_pause{1000};
  /// Is told what refresh failed with, once for each thing that goes wrong; from another thread.
  std::function<void(const Error&)> tell;
  Limits limits;
};

/// Serves from its start to its end, in threads of its own. It knows nothing of studies.
class Server {
 public:
  /// Listens and returns. Errors: the address or port cannot be had.
  static Result<std::unique_ptr<Server>> start(Options options);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Where a browser finds the page.
  std::string url() const;
  std::uint16_t port() const;
  /// Whether nobody outside this machine can reach it.
  bool is_loopback() const;

  /// Ends all connections and threads. Waits for a refresh that is under way, and for nothing else.
  void stop();

 private:
  struct Running;
  explicit Server(std::unique_ptr<Running> running);
  std::unique_ptr<Running> running_;
};

}  // namespace lookback::serve
