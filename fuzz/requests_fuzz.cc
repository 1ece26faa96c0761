// Any bytes from a client: every request in them is refused or answered, nothing else is, and a head
// that other programs would read in another way is never answered.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "fuzz/input_directory.h"
#include "lookback/serve/board.h"
#include "lookback/serve/connection.h"
#include "lookback/serve/site.h"

namespace lookback::fuzz {
namespace {

serve::Limits short_limits() {
  serve::Limits limits;
  limits.requests = 8;  // so that all answers fit into the socket, for nobody reads meanwhile
  limits.heartbeat = std::chrono::milliseconds(1);
  return limits;
}

serve::Listener local() {
  serve::Listener listener;
  listener.host = listener.address = "127.0.0.1";
  return listener;
}

/// What every input is sent to. The news have ended, so an event stream waits for none.
struct Served {
  Served() {
    files.write("metrics.jsonl", "{}\n");
    files.write("empty.json", "");
    board.post({{"study", std::make_shared<const report::PagePart>(
                              report::PagePart{1, std::string(2000, ' ')})}});
    board.close();
  }

  InputDirectory files;
  serve::Board board;
  serve::Listener listener = local();
  serve::Limits limits = short_limits();
  serve::Site site{files.path(), "<script>1</script>", board, listener, limits};
};

std::string read_all(int socket) {
  std::string bytes;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t count = ::recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (count <= 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

/// What the server writes to a client that sends these bytes and no more.
std::string answers_to(std::string_view bytes) {
  static Served served;
  int ends[2] = {-1, -1};
  require(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  const serve::Descriptor client(ends[0]), server(ends[1]);
  require(::send(ends[0], bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
  ::shutdown(ends[0], SHUT_WR);
  serve::Connection connection(ends[1], served.limits);
  served.site.converse(connection);
  return read_all(ends[0]);
}

/// A second opinion on the first head: whether any line ends without a carriage return, or any header
/// has no name in front of a colon.
bool can_be_misread(std::string_view bytes) {
  for (bool is_request_line = true;; is_request_line = false) {
    const std::size_t end = bytes.find('\n');
    std::string_view line = bytes.substr(0, end);
    if (end == std::string_view::npos || !line.ends_with('\r')) return true;
    line.remove_suffix(1);
    bytes.remove_prefix(end + 1);
    if (line.find('\0') != std::string_view::npos || line.find('\r') != std::string_view::npos) {
      return true;
    }
    if (line.empty()) return is_request_line;
    if (is_request_line) continue;
    const std::string_view name = line.substr(0, line.find_first_of(": \t"));
    if (name.empty() || !line.substr(name.size()).starts_with(':')) return true;
  }
}

void feed(std::string_view bytes) {
  const std::string answers = answers_to(bytes);
  if (answers.empty()) return;
  constexpr std::string_view protocol = "HTTP/1.1 ";
  require(answers.starts_with(protocol));
  const std::string status = answers.substr(protocol.size(), 3);
  require(status != "500");
  if (can_be_misread(bytes)) require(status == "400" || status == "408" || status == "431");
}

}  // namespace
}  // namespace lookback::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lookback::fuzz::feed({reinterpret_cast<const char*>(data), size});
  return 0;
}
