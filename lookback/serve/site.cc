#include "lookback/serve/site.h"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "lookback/serve/content_policy.h"
#include "lookback/serve/plain_files.h"
#include "lookback/serve/request_rules.h"

namespace lookback::serve {
namespace {

using httplib::Request;
using httplib::Response;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t write_size = std::size_t{1} << 16;
constexpr std::chrono::milliseconds glance(500);
constexpr const char* retry_after = "5";  // seconds

/// A request whose head is in memory, and a client to answer. What would be read beyond the head
/// (a body) is not there.
class HeadStream : public httplib::Stream {
 public:
  HeadStream(std::string_view head, Connection& client) : head_(head), client_(client) {
    client.begin_response();
  }

  bool is_readable() const override { return !head_.empty(); }
  bool is_writable() const override { return !client_.client_is_gone(); }

  ssize_t read(char* bytes, size_t size) override {
    const std::size_t count = head_.copy(bytes, size);
    head_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* bytes, size_t size) override {
    const std::string_view text(bytes, size);
    // The whole head of an answer is the first that is written.
    if (!begun_) closes_ = text.find("\r\nConnection: close\r\n") != std::string_view::npos;
    begun_ = true;
    return client_.write(text) ? static_cast<ssize_t>(size) : -1;
  }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return client_.socket(); }

  /// Whether the client was told that the connection ends.
  bool closes() const { return closes_; }

 private:
  std::string_view head_;
  Connection& client_;
  bool begun_ = false;
  bool closes_ = false;
};

/// Sends a text that stays where it is; httplib would compress a body of its own anew each time.
void give(Response& response, int status, std::shared_ptr<const std::string> text,
          const std::string& media_type) {
  response.status = status;
  if (text->empty()) {
    response.set_header("Content-Type", media_type);
    return;
  }
  const std::size_t size = text->size();
  response.set_content_provider(
      size, media_type,
      [text = std::move(text)](size_t offset, size_t length, httplib::DataSink& sink) {
        return sink.write(text->data() + offset, std::min(length, write_size));
      });
}

/// An answer in plain words, for those who ask by hand.
void tell(Response& response, int status, std::string_view words) {
  give(response, status, std::make_shared<const std::string>(fmt::format("{}\n", words)),
       "text/plain; charset=utf-8");
}

bool announces_body(const Request& request) {
  const auto lengths = request.headers.equal_range("Content-Length");
  return request.has_header("Transfer-Encoding") ||
         std::any_of(lengths.first, lengths.second,
                     [](const auto& header) { return header.second != "0"; });
}

std::string versions_text(const News& news) { return nlohmann::json(news.versions).dump(); }

/// The part under a pointer of its text alone.
std::shared_ptr<const std::string> text_of(const std::shared_ptr<const PostedPart>& part) {
  return {part, &part->part()->text};
}

}  // namespace

/// The routes. httplib parses the request and writes the answer; of its server nothing else runs:
/// it accepts no connection and starts no thread.
class Site::Http : public httplib::Server {
 public:
  Http(std::filesystem::path directory, std::string page, const Board& board,
       const Listener& listener, const Limits& limits);

  using httplib::Server::process_request;

  /// httplib breaks answers off when it sees no socket of its own.
  void stop() { svr_sock_ = INVALID_SOCKET; }

 private:
  void answer(const Request& request, Response& response);
  bool refuse(const Request& request, Response& response) const;
  void give_part(const std::string& name, const Request& request, Response& response) const;
  void give_file(std::string_view path, Response& response) const;
  void give_events(const Request& request, Response& response);

  const std::filesystem::path directory_;
  const std::shared_ptr<const std::string> page_;
  const std::string policy_;
  const Board& board_;
  const Listener& listener_;
  const Limits& limits_;
  std::atomic<std::size_t> streams_ = 0;
};

Site::Http::Http(std::filesystem::path directory, std::string page, const Board& board,
                 const Listener& listener, const Limits& limits)
    : directory_(std::move(directory)),
      page_(std::make_shared<const std::string>(std::move(page))),
      policy_(content_policy(*page_)),
      board_(board),
      listener_(listener),
      limits_(limits) {
  svr_sock_ = listener.socket.number();
  set_keep_alive_max_count(limits.requests);
  set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(limits.idle).count());
  set_default_headers({{"X-Content-Type-Options", "nosniff"},
                       {"Referrer-Policy", "no-referrer"},
                       {"Cross-Origin-Resource-Policy", "same-origin"},
                       {"Cache-Control", "no-store"},
                       {"Accept-Ranges", "none"},
                       {"Content-Security-Policy", policy_}});
  set_pre_routing_handler([this](const Request& request, Response& response) {
    answer(request, response);
    return HandlerResponse::Handled;
  });
  set_exception_handler(
      [](const Request&, Response& response, const std::exception_ptr&) { response.status = 500; });
  set_expect_100_continue_handler([](const Request&, Response& response) {
    response.status = 417;
    return 417 + 1;  // anything but 100 and 417 sends the response as it is, and nothing after it
  });
  set_error_handler([](const Request&, Response& response) {
    if (!response.content_provider_) {
      tell(response, response.status, fmt::format("{}: not understood", response.status));
    }
  });
  // After an error nobody knows where the next request begins.
  set_post_routing_handler([](const Request&, Response& response) {
    if (response.status == 304) response.headers.erase("Content-Length");
    const bool ends = response.get_header_value("Content-Type") == "text/event-stream";
    if (response.status < 400 && !ends) return;
    response.headers.erase("Keep-Alive");
    response.headers.erase("Connection");
    response.set_header("Connection", "close");
  });
}

/// Whether it was refused before anybody looks at what is asked for.
bool Site::Http::refuse(const Request& request, Response& response) const {
  if (request.get_header_value_count("Host") != 1) {
    tell(response, 400, "400: one Host header is needed");
  } else if (!names_this_server(request.get_header_value("Host"), listener_)) {
    tell(response, 403, "403: the Host header names another server");
  } else if (request.method != "GET" && request.method != "HEAD") {
    response.set_header("Allow", "GET, HEAD");
    tell(response, 405, "405: only GET and HEAD");
  } else if (announces_body(request)) {
    tell(response, 413, "413: no request here has a body");
  } else {
    return false;
  }
  return true;
}

void Site::Http::answer(const Request& request, Response& response) {
  if (refuse(request, response)) return;
  const std::optional<std::string> path = path_of(request.target);
  constexpr std::string_view data = "/data/", files = "/files/";
  if (!path) {
    tell(response, 400, "400: this is no path");
  } else if (*path == "/") {
    give(response, 200, page_, "text/html; charset=utf-8");
  } else if (*path == "/events") {
    give_events(request, response);
  } else if (path->starts_with(data)) {
    give_part(path->substr(data.size()), request, response);
  } else if (path->starts_with(files)) {
    give_file(std::string_view(*path).substr(files.size()), response);
  } else {
    tell(response, 404, "404: there is nothing of this name");
  }
}

void Site::Http::give_part(const std::string& name, const Request& request,
                           Response& response) const {
  const std::shared_ptr<const PostedPart> part = board_.part(name);
  if (!part) return tell(response, 404, "404: there is no such part, or none yet");
  const std::string tag = fmt::format("\"{}\"", part->part()->version);
  response.set_header("ETag", tag);
  response.set_header("Vary", "Accept-Encoding");
  if (matches(request.get_header_value("If-None-Match"), tag)) {
    response.status = 304;
    return;
  }
  std::shared_ptr<const std::string> packed;
  if (accepts(request.get_header_value("Accept-Encoding"), "gzip")) packed = part->gzipped();
  if (packed) response.set_header("Content-Encoding", "gzip");
  give(response, 200, packed ? packed : text_of(part), "application/json");
}

void Site::Http::give_file(std::string_view path, Response& response) const {
  std::optional<PlainFile> opened = open_plain_file(directory_, path);
  if (!opened) return tell(response, 404, "404: there is no such file");
  const auto file = std::make_shared<const PlainFile>(std::move(*opened));
  const std::string media_type(file->media_type);
  response.status = 200;
  if (media_type == "application/octet-stream") {
    response.set_header("Content-Disposition", "attachment");
  }
  if (file->size == 0) return response.set_header("Content-Type", media_type);
  response.set_content_provider(
      file->size, media_type, [file](size_t offset, size_t length, httplib::DataSink& sink) {
        std::array<char, write_size> bytes;
        const std::size_t wanted = std::min(length, bytes.size());
        const std::ptrdiff_t count = read_at(*file, offset, bytes.data(), wanted);
        // A file that became shorter: the connection ends before the promised length.
        return count > 0 && sink.write(bytes.data(), static_cast<std::size_t>(count));
      });
}

void Site::Http::give_events(const Request& request, Response& response) {
  const bool counts = request.method == "GET";
  if (counts && streams_.fetch_add(1) >= limits_.streams) {
    --streams_;
    response.set_header("Retry-After", retry_after);
    return tell(response, 503, "503: too many event streams");
  }
  response.status = 200;
  struct State {
    bool first = true;
    std::uint64_t seen = 0;
    SteadyClock::time_point said;
  };
  response.set_content_provider(
      "text/event-stream",
      [this, state = std::make_shared<State>()](size_t, httplib::DataSink& sink) {
        const News news = board_.news();
        std::string message;
        if (state->first) message = "retry: 2000\n";
        if (state->first || news.number != state->seen) {
          message += fmt::format("data: {}\n\n", versions_text(news));
        } else if (SteadyClock::now() - state->said >= limits_.heartbeat) {
          message = ": still here\n\n";
        }
        if (message.empty()) {
          board_.wait(news.number, std::min(glance, limits_.heartbeat));
          return sink.is_writable();
        }
        state->first = false;
        state->seen = news.number;
        state->said = SteadyClock::now();
        return sink.write(message.data(), message.size());
      },
      [this, counts](bool) {
        if (counts) --streams_;
      });
}

Site::Site(std::filesystem::path directory, std::string page, const Board& board,
           const Listener& listener, const Limits& limits)
    : http_(std::make_unique<Http>(std::move(directory), std::move(page), board, listener, limits)),
      limits_(limits) {}

Site::~Site() = default;

void Site::stop() { http_->stop(); }

void Site::converse(Connection& connection) {
  std::string head;
  for (std::size_t left = limits_.requests; left > 0; --left) {
    const Connection::Head ending = connection.read_head(head);
    if (ending == Connection::Head::too_large) {
      connection.refuse("431 Request Header Fields Too Large");
    } else if (ending == Connection::Head::too_slow) {
      connection.refuse("408 Request Timeout");
    }
    if (ending != Connection::Head::complete) break;
    // httplib passes over lines that it does not understand.
    if (!is_well_formed(head)) {
      connection.refuse("400 Bad Request");
      break;
    }
    HeadStream stream(head, connection);
    bool ends = false;
    // Ranges are not served: httplib would answer a thousand of them with a thousand copies.
    const auto without_ranges = [](Request& request) { request.ranges.clear(); };
    const bool answered = http_->process_request(stream, left == 1, ends, without_ranges);
    if (!answered || ends || stream.closes()) break;
  }
  connection.finish();
}

}  // namespace lookback::serve
