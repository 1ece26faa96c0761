// How a server begins, goes on whatever refresh says, and ends.
#include "lookback/serve/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/serve/client.h"
#include "tests/serve/served.h"

namespace lookback::serve {
namespace {

using spec::ask;
using spec::Client;
using spec::get;
using spec::Served;
using Clock = std::chrono::steady_clock;

Options quiet(std::uint16_t port, const std::string& host = default_host) {
  Options options;
  options.host = host;
  options.port = port;
  options.page = "<p>";
  options.refresh = [] { return report::PageParts(); };
  return options;
}

TEST(Server, ListensOnLoopbackByDefaultAndSaysWhere) {
  Served served;
  EXPECT_EQ(Options().host, "127.0.0.1");
  EXPECT_TRUE(served.server().is_loopback());
  EXPECT_EQ(served.server().url(), "http://127.0.0.1:" + std::to_string(served.port()) + "/");
}

TEST(Server, ThatListensEverywhereSaysThatItIsNoLoopback) {
  Served served({}, "0.0.0.0");
  EXPECT_FALSE(served.server().is_loopback());
  EXPECT_EQ(served.server().url(), "http://127.0.0.1:" + std::to_string(served.port()) + "/");
  EXPECT_TRUE(served.answers());
}

TEST(Server, ListensOnTheNewerProtocolToo) {
  const auto server = Server::start(quiet(0, "::1"));
  if (!server) GTEST_SKIP() << server.error().message;
  EXPECT_TRUE((*server)->is_loopback());
  EXPECT_EQ((*server)->url(), "http://[::1]:" + std::to_string((*server)->port()) + "/");
}

TEST(Server, RefusesAPortInUseInOneLine) {
  const Served served;
  const auto second = Server::start(quiet(served.port()));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "127.0.0.1 port " + std::to_string(served.port()) +
                                        ": in use; --port 0 takes any free one");
  EXPECT_TRUE(served.answers());
}

TEST(Server, RefusesAHostThatIsNotHere) {
  for (const char* host : {"192.0.2.1", "no such host", "", "1.2.3.4.5", "\x01"}) {
    const auto server = Server::start(quiet(0, host));
    if (std::string(host).empty()) continue;  // some systems take it for any
    ASSERT_FALSE(server) << host;
    EXPECT_EQ(server.error().message.find('\n'), std::string::npos);
  }
}

TEST(Server, TakesThePortOfOneThatEndedAtOnce) {
  std::uint16_t port = 0;
  for (int i = 0; i < 5; ++i) {
    const auto server = Server::start(quiet(port));
    ASSERT_TRUE(server) << server.error().message;
    port = (*server)->port();
    EXPECT_EQ(ask(port, get("/")).body, "<p>");
  }
}

TEST(Refresh, ThatFailsIsToldOnceAndLeavesWhatIsThere) {
  Served served;
  served.study().set("study", "1");
  served.wait_for_refresh();
  served.study().fail("study.toml: gone");
  for (int i = 0; i < 3; ++i) served.wait_for_refresh();
  EXPECT_EQ(served.told(), std::vector<std::string>{"study.toml: gone"});
  EXPECT_EQ(ask(served.port(), get("/data/study")).body, "1");

  served.study().fail("study.toml: torn");
  served.wait_for_refresh();
  served.study().fail(std::nullopt);
  served.study().set("study", "2");
  served.wait_for_refresh();
  EXPECT_EQ(ask(served.port(), get("/data/study")).body, "2");
  served.study().fail("study.toml: torn");
  served.wait_for_refresh();
  EXPECT_EQ(served.told(),
            (std::vector<std::string>{"study.toml: gone", "study.toml: torn", "study.toml: torn"}));
}

TEST(Refresh, ThatThrowsDoesNotEndTheServer) {
  std::atomic<int> calls = 0, told = 0;
  Options options = quiet(0);
  options.refresh_pause = std::chrono::milliseconds(1);
  options.refresh = [&]() -> Result<report::PageParts> {
    if (++calls % 2 == 1) throw std::bad_alloc();
    throw std::runtime_error("surprise");
  };
  options.tell = [&](const Error&) { ++told; };
  const auto server = Server::start(std::move(options));
  ASSERT_TRUE(server);
  while (calls < 4) std::this_thread::yield();
  EXPECT_EQ(ask((*server)->port(), get("/")).status, 200);
  EXPECT_GE(told, 2);
}

TEST(Refresh, OfPartsThatAreMissingIsNoPart) {
  Options options = quiet(0);
  options.refresh = [] { return report::PageParts{{"study", nullptr}}; };
  const auto server = Server::start(std::move(options));
  ASSERT_TRUE(server);
  Client client((*server)->port());
  EXPECT_TRUE(client.send(get("/events")).read_until("\ndata: {}\n\n"));
  EXPECT_EQ(ask((*server)->port(), get("/data/study")).status, 404);
}

TEST(Stop, WaitsForNoClientWhateverIsOpen) {
  auto served = std::make_unique<Served>();
  served->write("large.safetensors", std::string(8'000'000, 'x'));
  std::vector<std::unique_ptr<Client>> open;
  for (const std::string& request :
       std::vector<std::string>{get("/events"), get("/events"), get("/files/large.safetensors"), "",
                                "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    open.push_back(std::make_unique<Client>(served->port(), 4096));
    open.back()->send(request);
    if (request.find("\r\n\r\n") != std::string::npos) {
      ASSERT_TRUE(open.back()->read_until("\r\n\r\n"));
    }
  }
  const Clock::time_point begin = Clock::now();
  served->server().stop();
  // On an idle machine it takes milliseconds; the shortest limit that could be waited for is 10 s.
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
  for (const auto& client : open) EXPECT_TRUE(client->ends());
  EXPECT_FALSE(Client(served->port()).is_connected() && ask(served->port(), get("/")).status != 0);
  served->server().stop();  // again is nothing
}

TEST(Stop, RightAfterTheStartIsFine) {
  for (int i = 0; i < 20; ++i) {
    const auto server = Server::start(quiet(0));
    ASSERT_TRUE(server);
    if (i % 2 == 0) (*server)->stop();
  }
}

TEST(Stop, WhileClientsComeAndGoIsFine) {
  for (int i = 0; i < 5; ++i) {
    auto served = std::make_unique<Served>();
    std::atomic<bool> over = false;
    std::thread visitors([&, port = served->port()] {
      while (!over) {
        Client client(port);
        if (client.is_connected()) client.send(get("/events")).read_bytes(10);
      }
    });
    served->study().set("study", "1");
    served->wait_for_refresh();
    served->server().stop();
    over = true;
    visitors.join();
  }
}

}  // namespace
}  // namespace lookback::serve
