#include "lookback/serve/server.h"

#include <sys/socket.h>

#include <atomic>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "lookback/serve/board.h"
#include "lookback/serve/connection.h"
#include "lookback/serve/crew.h"
#include "lookback/serve/listener.h"
#include "lookback/serve/refresher.h"
#include "lookback/serve/site.h"

namespace lookback::serve {
namespace {

/// Clients that find every place taken are told so by these few threads; beyond that many waiting
/// their connections are closed without a word.
constexpr std::size_t refusing_threads = 2;
constexpr std::size_t most_refused = 64;

}  // namespace

struct Server::Running {
  Running(Options given, Listener at)
      : limits(given.limits),
        listener(std::move(at)),
        site(std::move(given.directory), std::move(given.page), board, listener, limits),
        clients(limits.clients, limits.clients,
                [this](int socket) {
                  Connection connection(socket, limits);
                  site.converse(connection);
                }),
        refused(refusing_threads, most_refused,
                [this](int socket) {
                  Connection connection(socket, limits);
                  connection.refuse("503 Service Unavailable", "Retry-After: 5\r\n");
                  connection.finish();
                }),
        refresher(std::in_place, std::move(given.refresh), given.refresh_pause, board,
                  std::move(given.tell)),
        accepting([this] { accept_clients(); }) {}

  void accept_clients() {
    while (!stopping) {
      Descriptor client = accept_from(listener);
      if (client && !clients.take(client)) refused.take(client);
    }
  }

  void stop() {
    if (stopping.exchange(true)) return;
    site.stop();
    board.close();
    ::shutdown(listener.socket.number(), SHUT_RDWR);  // wakes who waits for clients
    accepting.join();
    clients.stop();
    refused.stop();
    refresher.reset();
  }

  const Limits limits;
  const Listener listener;
  Board board;
  Site site;
  std::atomic<bool> stopping = false;
  Crew clients, refused;
  std::optional<Refresher> refresher;
  std::thread accepting;
};

Server::Server(std::unique_ptr<Running> running) : running_(std::move(running)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(Options options) {
  Result<Listener> listener = listen_at(options.host, options.port);
  if (!listener) return listener.error();
  try {
    return std::unique_ptr<Server>(
        new Server(std::make_unique<Running>(std::move(options), std::move(*listener))));
  } catch (const std::system_error& error) {
    return Error{std::string("cannot start a thread: ") + error.what(), ErrorKind::failed};
  }
}

std::string Server::url() const { return running_->listener.url(); }

std::uint16_t Server::port() const { return running_->listener.port; }

bool Server::is_loopback() const { return running_->listener.loopback; }

void Server::stop() { running_->stop(); }

}  // namespace lookback::serve
