// What the server answers to those who ask as they should.
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/serve/client.h"
#include "tests/serve/served.h"

namespace lookback::serve {
namespace {

using nlohmann::json;
using spec::Answer;
using spec::ask;
using spec::Client;
using spec::get;
using spec::Served;

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string input = packed, text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  std::array<char, 4096> chunk;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = chunk.size();
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  EXPECT_EQ(status, Z_STREAM_END);
  inflateEnd(&stream);
  return text;
}

/// Asks for the events, and gives the head of the answer.
Answer open_events(Client& client) {
  return spec::parse_answer(client.send(get("/events")).read_until("\r\n\r\n").value_or(""));
}

/// The object of the next message of an event stream; null when none comes.
json next_event(Client& client) {
  if (!client.read_until("data: ")) return nullptr;
  const std::optional<std::string> line = client.read_until("\n\n");
  return line ? json::parse(*line, nullptr, false) : json();
}

TEST(Page, IsWhatWasGiven) {
  const Served served;
  const Answer answer = ask(served.port(), get("/"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, spec::page_text);
  EXPECT_EQ(answer.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(ask(served.port(), get("/?theme=dark")).body, spec::page_text);
}

TEST(Page, MayRunItsOwnScriptAndReachItsOwnServerAlone) {
  const Served served;
  // The digest is that of `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`.
  EXPECT_EQ(ask(served.port(), get("/")).header("content-security-policy"),
            "default-src 'none'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=' "
            "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
}

TEST(Headers, TellTheBrowserToKeepAndGuessNothingWhateverTheAnswer) {
  Served served;
  served.write("metrics.jsonl", "{}\n");
  served.study().set("study", "{}");
  served.wait_for_refresh();
  for (const char* path : {"/", "/data/study", "/files/metrics.jsonl", "/nowhere", "/%zz"}) {
    const Answer answer = ask(served.port(), get(path));
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << path;
    EXPECT_EQ(answer.header("cache-control"), "no-store") << path;
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << path;
    EXPECT_EQ(answer.header("cross-origin-resource-policy"), "same-origin") << path;
    EXPECT_NE(answer.header("content-security-policy").find("default-src 'none'"),
              std::string::npos)
        << path;
  }
}

TEST(Data, IsNotFoundWhileThereIsNone) {
  Served served;
  EXPECT_EQ(ask(served.port(), get("/data/study")).status, 404);
  served.study().set("study", R"({"name":"small"})");
  served.wait_for_refresh();
  EXPECT_EQ(ask(served.port(), get("/data/study")).body, R"({"name":"small"})");
  for (const char* path : {"/data/", "/data", "/data/Study", "/data/study/", "/data//study",
                           "/data/lens", "/data/../data/study"}) {
    EXPECT_EQ(ask(served.port(), get(path)).status, 404) << path;
  }
}

TEST(Data, HasItsVersionAsTagAndIsSentAgainOnlyWhenItChanged) {
  Served served;
  served.study().set("study", "1");
  served.wait_for_refresh();
  const Answer first = ask(served.port(), get("/data/study"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("etag"), "\"1\"");
  EXPECT_EQ(first.header("content-type"), "application/json");

  for (const char* known : {"\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"}) {
    const Answer same =
        ask(served.port(), get("/data/study", "If-None-Match: " + std::string(known) + "\r\n"));
    EXPECT_EQ(same.status, 304) << known;
    EXPECT_EQ(same.header("etag"), "\"1\"");
    EXPECT_EQ(same.body, "");
  }
  served.study().set("study", "2");
  served.wait_for_refresh();
  const Answer changed = ask(served.port(), get("/data/study", "If-None-Match: \"1\"\r\n"));
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.header("etag"), "\"2\"");
  EXPECT_EQ(changed.body, "2");
}

TEST(Data, IsCompressedForThoseWhoSayTheyCanReadIt) {
  Served served;
  const std::string text = json(std::vector<std::string>(2000, "induction")).dump();
  served.study().set("study", text);
  served.study().set("lens", "[]");
  served.wait_for_refresh();
  for (int repeat = 0; repeat < 2; ++repeat) {
    const Answer packed =
        ask(served.port(), get("/data/study", "Accept-Encoding: br, gzip;q=0.8\r\n"));
    EXPECT_EQ(packed.header("content-encoding"), "gzip");
    EXPECT_EQ(packed.header("vary"), "Accept-Encoding");
    EXPECT_EQ(packed.header("content-length"), std::to_string(packed.body.size()));
    EXPECT_LT(packed.body.size(), text.size() / 10);
    EXPECT_EQ(gunzip(packed.body), text);
  }
  for (const char* encoding : {"identity", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"}) {
    const Answer plain = ask(
        served.port(), get("/data/study", "Accept-Encoding: " + std::string(encoding) + "\r\n"));
    EXPECT_EQ(plain.header("content-encoding"), "") << encoding;
    EXPECT_EQ(plain.body, text) << encoding;
  }
  // Not worth it.
  EXPECT_EQ(ask(served.port(), get("/data/lens", "Accept-Encoding: gzip\r\n")).body, "[]");
}

TEST(Data, OfTenMegabytesArrivesWhole) {
  Served served;
  std::string text;
  for (std::size_t i = 0; i < 10'000'000; ++i) text += static_cast<char>('a' + i * i % 26);
  served.study().set("attention", text);
  served.wait_for_refresh();
  EXPECT_TRUE(ask(served.port(), get("/data/attention")).body == text);
  EXPECT_TRUE(
      gunzip(ask(served.port(), get("/data/attention", "Accept-Encoding: gzip\r\n")).body) == text);
}

TEST(Events, SayAtOnceWhatThereIsAndThenWhatChanged) {
  Served served;
  served.study().set("study", "{}");
  served.wait_for_refresh();
  Client client(served.port());
  const Answer head = open_events(client);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-type"), "text/event-stream");
  EXPECT_EQ(next_event(client), json({{"study", 1}}));

  served.study().set("study", "{ }");
  EXPECT_EQ(next_event(client), json({{"study", 2}}));
  served.study().set("lens", "[]");
  EXPECT_EQ(next_event(client), json({{"lens", 1}, {"study", 2}}));
  served.study().remove("lens");
  EXPECT_EQ(next_event(client), json({{"study", 2}}));
}

TEST(Events, AreEmptyWhileThereIsNoStudy) {
  const Served served;
  Client client(served.port());
  open_events(client);
  EXPECT_EQ(next_event(client), json::object());
}

TEST(Events, BeatWhenThereIsNothingToSay) {
  Limits limits;
  limits.heartbeat = std::chrono::milliseconds(20);
  const Served served(limits);
  Client client(served.port());
  open_events(client);
  EXPECT_EQ(next_event(client), json::object());
  for (int beat = 0; beat < 3; ++beat) {
    const std::optional<std::string> line = client.read_until("\n\n");
    ASSERT_TRUE(line);
    EXPECT_TRUE(line->starts_with(": ")) << *line;
  }
}

TEST(Head, GivesTheHeadersOfGetWithoutItsBody) {
  Served served;
  served.write("metrics.jsonl", "{}\n");
  served.study().set("study", "{}");
  served.wait_for_refresh();
  for (const char* path : {"/", "/data/study", "/files/metrics.jsonl", "/nowhere", "/events"}) {
    const std::string request = get(path);
    const Answer whole =
        std::string(path) == "/events" ? Answer{200, {}, ""} : ask(served.port(), request);
    const Answer head = ask(served.port(), "HEAD" + request.substr(3));
    EXPECT_EQ(head.status, whole.status) << path;
    EXPECT_EQ(head.header("content-length"), whole.header("content-length")) << path;
    EXPECT_EQ(head.body, "") << path;
  }
}

TEST(Methods, OtherThanGetAndHeadAreRefused) {
  const Served served;
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"}) {
    const Answer answer = ask(served.port(), method + get("/").substr(3));
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.header("allow"), "GET, HEAD") << method;
  }
  EXPECT_TRUE(served.answers());
}

TEST(OtherPaths, AreNotFound) {
  const Served served;
  for (const char* path :
       {"/index.html", "/favicon.ico", "//", "/events/", "/files", "/files/", "/data/study"}) {
    EXPECT_EQ(ask(served.port(), get(path)).status, 404) << path;
  }
}

TEST(Connections, CarrySeveralRequestsOneAfterTheOther) {
  Served served;
  served.study().set("study", "{}");
  served.wait_for_refresh();
  Client client(served.port());
  const std::string request = "GET /data/study HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int repeat = 0; repeat < 5; ++repeat) {
    EXPECT_EQ(client.send(request).read_answer().body, "{}");
  }
  client.send(request + request + get("/data/study"));  // all at once
  for (int repeat = 0; repeat < 3; ++repeat) EXPECT_EQ(client.read_answer().body, "{}");
  EXPECT_TRUE(client.ends());
}

TEST(Connections, OfTheOldProtocolEndAfterOneRequest) {
  const Served served;
  const Answer answer = ask(served.port(), "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, spec::page_text);
}

}  // namespace
}  // namespace lookback::serve
