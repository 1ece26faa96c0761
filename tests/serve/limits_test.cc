// No client takes so much that nothing is left for the others.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/serve/client.h"
#include "tests/serve/served.h"

namespace lookback::serve {
namespace {

using spec::Answer;
using spec::ask;
using spec::Client;
using spec::get;
using spec::Served;
using std::chrono::milliseconds;

std::unique_ptr<Client> open_stream(const Served& served) {
  auto client = std::make_unique<Client>(served.port());
  client->send(get("/events"));
  return client;
}

TEST(Streams, HaveANumberOfPlacesThatAreFreeAgainWhenTheyEnd) {
  Limits limits;
  limits.streams = 3;
  const Served served(limits);
  std::vector<std::unique_ptr<Client>> open;
  for (std::size_t i = 0; i < limits.streams; ++i) {
    open.push_back(open_stream(served));
    ASSERT_TRUE(open.back()->read_until("\ndata: {}\n\n"));
  }
  const Answer refused = ask(served.port(), get("/events"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "5");
  EXPECT_TRUE(served.answers());

  open.front()->drop();
  const auto until = std::chrono::steady_clock::now() + spec::generous;
  bool free = false;
  while (!free && std::chrono::steady_clock::now() < until) {
    free = open_stream(served)->read_until("\r\n\r\n").value_or("").starts_with("HTTP/1.1 200");
  }
  EXPECT_TRUE(free);
}

TEST(Clients, HaveANumberOfPlacesAndFurtherOnesAreToldSo) {
  Limits limits;
  limits.clients = 4;
  const Served served(limits);
  std::vector<std::unique_ptr<Client>> open;
  for (std::size_t i = 0; i < limits.clients; ++i) {
    open.push_back(open_stream(served));
    ASSERT_TRUE(open.back()->read_until("\ndata: {}\n\n"));
  }
  for (int i = 0; i < 5; ++i) {
    const Answer refused = ask(served.port(), get("/"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("retry-after"), "5");
  }
  open.clear();
  EXPECT_TRUE(served.answers());
}

TEST(Clients, BeyondAllThatCanEvenBeToldAreSentAway) {
  Limits limits;
  limits.clients = 2;
  const Served served(limits);
  std::vector<std::unique_ptr<Client>> open(300);
  for (auto& client : open) client = std::make_unique<Client>(served.port());
  open.clear();
  EXPECT_TRUE(served.answers());
}

TEST(HalfRequests, AreEndedWhenTheirTimeIsOver) {
  Limits limits;
  limits.clients = 3;
  limits.idle = limits.head = milliseconds(100);
  const Served served(limits);
  Client silent(served.port()), half(served.port()), trickling(served.port());
  half.send("GET / HTTP/1.1\r\nHost: loc");
  // A byte now and then earns no more time.
  std::thread trickle([&] {
    for (int i = 0; i < 200; ++i) {
      trickling.send("X");
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(spec::parse_answer(half.read_all()).status, 408);
  trickle.join();
  EXPECT_TRUE(trickling.ends());
  EXPECT_TRUE(served.answers());
}

TEST(SlowReaders, OfAnswersAreLetGo) {
  Limits limits;
  limits.clients = 1;
  limits.write = milliseconds(100);
  limits.slowest_reader = 1'000'000'000;
  Served served(limits);
  served.study().set("attention", std::string(8'000'000, '1'));
  served.wait_for_refresh();
  Client slow(served.port(), 4096);
  slow.send(get("/data/attention"));
  EXPECT_EQ(slow.read_bytes(100).size(), 100U);
  EXPECT_TRUE(served.answers());  // the only place is free again
}

TEST(SlowReaders, WhoReadFastEnoughGetAllOfALongAnswer) {
  Limits limits;
  limits.write = milliseconds(100);
  limits.slowest_reader = 1'000'000;
  Served served(limits);
  const std::string text(3'000'000, '1');
  served.study().set("attention", text);
  served.wait_for_refresh();
  Client slow(served.port(), 4096);
  slow.send(get("/data/attention"));
  std::string read;
  for (std::string some = "begin"; !some.empty();) {
    some = slow.read_bytes(100'000);
    read += some;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(spec::parse_answer(read).body == text);
}

TEST(SlowReaders, OfEventsDoNotHoldTheOthers) {
  Limits limits;
  limits.write = milliseconds(200);
  Served served(limits);
  Client slow(served.port(), 4096);
  slow.send(get("/events"));
  Client quick(served.port());
  quick.send(get("/events"));
  ASSERT_TRUE(quick.read_until("\ndata: {}\n\n"));
  // Long names make long messages, which soon fill what the slow one does not read.
  const std::string name(100'000, 'n');
  for (int version = 1; version <= 100; ++version) {
    served.study().set(name, "");
    ASSERT_TRUE(quick.read_until(name + "\":" + std::to_string(version) + "}\n\n")) << version;
  }
  EXPECT_TRUE(served.answers());
}

TEST(Connections, EndAfterTheirLastRequest) {
  Limits limits;
  limits.requests = 3;
  const Served served(limits);
  Client client(served.port());
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (std::size_t i = 1; i <= limits.requests; ++i) {
    const Answer answer = client.send(request).read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), i == limits.requests ? "close" : "");
  }
  EXPECT_TRUE(client.ends());
}

TEST(Connections, WithoutAnotherRequestEnd) {
  Limits limits;
  limits.idle = milliseconds(50);
  const Served served(limits);
  Client client(served.port());
  EXPECT_EQ(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").read_answer().status, 200);
  EXPECT_TRUE(client.ends());
}

}  // namespace
}  // namespace lookback::serve
