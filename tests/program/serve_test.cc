// The page of a study over HTTP, from the program as it is started by hand.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "lookback/base/file.h"
#include "lookback/serve/descriptor.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using nlohmann::json;
using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;
using ServeClock = std::chrono::steady_clock;

constexpr std::chrono::seconds serve_patience(60);

std::string text_at(const std::filesystem::path& file) {
  const Result<std::string> text = base::read_file(file, std::size_t{1} << 26);
  return text ? *text : std::string();
}

/// Asks for a path and reads until the connection ends, or `last` was read.
std::string ask_for(int port, const std::string& path, const std::string& last = "") {
  const serve::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{serve_patience.count(), 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* general = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.number(), general, sizeof address) != 0) return {};
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  ::send(socket.number(), request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  std::array<char, 65536> bytes;
  while (last.empty() || answer.find(last) == std::string::npos) {
    const ssize_t count = ::recv(socket.number(), bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    answer.append(bytes.data(), static_cast<std::size_t>(count));
  }
  return answer;
}

bool is_found(const std::string& answer) { return answer.starts_with("HTTP/1.1 200 "); }

std::string body_of(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

/// `lookback serve DIRECTORY` at any free port.
class ServedProgram {
 public:
  explicit ServedProgram(const std::string& directory) : process_(command(directory)) {
    const std::string beginning = "http://127.0.0.1:";
    const ServeClock::time_point until = ServeClock::now() + serve_patience;
    while (!printed().ends_with("/\n") && ServeClock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(printed().starts_with(beginning)) << printed();
    if (printed().size() > beginning.size()) port_ = std::atoi(&printed()[beginning.size()]);
  }

  int port() const { return port_; }
  std::string printed() const { return text_at(output_ / "url"); }
  spec::Process& process() { return process_; }

  /// The answer to a path that may not be there yet.
  std::string wait_for(const std::string& path) const {
    const ServeClock::time_point until = ServeClock::now() + serve_patience;
    std::string answer = ask_for(port_, path);
    while (!is_found(answer) && ServeClock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      answer = ask_for(port_, path);
    }
    return answer;
  }

 private:
  spec::Command command(const std::string& directory) const {
    spec::Command command = lookback({"serve", directory, "--port", "0"});
    command.out_file = output_ / "url";
    return command;
  }

  TemporaryDirectory output_;
  int port_ = 0;
  spec::Process process_;
};

TEST(Serve, ShowsAStudyUntilItIsToldToEnd) {
  const TemporaryDirectory directory;
  const std::string file = spec::write_study(directory, spec::three_arms(2));
  const std::string study = directory / "study";
  ASSERT_EQ(spec::run(lookback({"study", file, "--out", study})).exit_code, 0);
  for (const int signal : {SIGTERM, SIGINT}) {
    ServedProgram served(study);
    EXPECT_NE(body_of(ask_for(served.port(), "/")).find("{\"live\":true}"), std::string::npos);
    const json data = json::parse(body_of(served.wait_for("/data/study")), nullptr, false);
    ASSERT_TRUE(data.is_object());
    EXPECT_EQ(data["name"], "small");
    EXPECT_EQ(data["arms"].size(), 3U);
    EXPECT_NE(ask_for(served.port(), "/events", "\n\n").find("\"study\":"), std::string::npos);
    EXPECT_EQ(body_of(ask_for(served.port(), "/files/parallel/seed-0/metrics.jsonl")),
              text_at(study + "/parallel/seed-0/metrics.jsonl"));
    EXPECT_FALSE(is_found(ask_for(served.port(), "/files/../study.toml")));
    EXPECT_FALSE(is_found(ask_for(served.port(), "/files/.lock")));

    served.process().send(signal);
    const spec::Ended ended = served.process().wait();
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "");
    EXPECT_EQ(served.printed(), "http://127.0.0.1:" + std::to_string(served.port()) + "/\n");
  }
}

TEST(Serve, WaitsForAStudyAndShowsItWhileItTrains) {
  const TemporaryDirectory directory;
  const std::string file = spec::write_study(directory, spec::three_arms(1'000'000));
  const std::string study = directory / "study";
  std::filesystem::create_directory(study);
  const ServedProgram served(study);
  EXPECT_FALSE(is_found(ask_for(served.port(), "/data/study")));
  EXPECT_NE(ask_for(served.port(), "/events", "\ndata: {}\n\n").find("\ndata: {}\n\n"),
            std::string::npos);
  const spec::Process training(lookback({"study", file, "--out", study, "--threads", "1"}));
  const json data = json::parse(body_of(served.wait_for("/data/study")), nullptr, false);
  ASSERT_TRUE(data.is_object());
  EXPECT_TRUE(data["progress"].is_object()) << data["progress"];
  EXPECT_EQ(data["progress"]["tokens_all"], std::size_t{3} * 256 * 1'000'000);
}

TEST(Serve, SaysInOneLineWhyItCannotListen) {
  const TemporaryDirectory directory;
  const ServedProgram served(directory.path());
  const std::string port = std::to_string(served.port());
  EXPECT_EQ(one_line(spec::run(lookback({"serve", directory.path(), "--port", port})), 4),
            "127.0.0.1 port " + port + ": in use; --port 0 takes any free one");
  const std::string nowhere = directory / "nowhere";
  EXPECT_TRUE(test::like(one_line(spec::run(lookback({"serve", nowhere}))),
                         nowhere + ": found no such directory*"));
  EXPECT_EQ(one_line(spec::run(lookback({"serve", directory.path(), "--host", "no such host"})))
                .rfind("--host no such host: ", 0),
            0U);
}

}  // namespace
}  // namespace lookback::program
