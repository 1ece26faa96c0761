// What is read out of a request's target and headers.
#include "lookback/serve/request_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lookback/serve/content_policy.h"

namespace lookback::serve {
namespace {

Listener listener_at(const std::string& host, const std::string& address) {
  Listener listener;
  listener.host = host;
  listener.address = address;
  listener.everywhere = address == "0.0.0.0" || address == "::";
  return listener;
}

TEST(IsWellFormed, IsTrueForARequestLineAndHeadersThatEachHaveAName) {
  for (const char* head :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "BREW\r\n\r\n",
        "GET / HTTP/1.1\r\nX:\r\nY:\ta:b\t \r\n!#$%&'*+-.^_`|~9z: \xff\r\n\r\n"}) {
    EXPECT_TRUE(is_well_formed(head)) << head;
  }
}

TEST(IsWellFormed, IsFalseForHeadersThatOtherProgramsReadInAnotherWay) {
  for (const char* headers :
       {"X : a\r\n", "X\t: a\r\n", " X: a\r\n", "X: a\r\n b\r\n", "X: a\r\n\tb: c\r\n", "X\r\n",
        ": a\r\n", "X Y: a\r\n", "\xe4: a\r\n", "X: a\rb\r\n", "X: a\nY: b\r\n", "X: a\n",
        "X: \x7f\r\n", "X: \x01\r\n"}) {
    EXPECT_FALSE(is_well_formed("GET / HTTP/1.1\r\n" + std::string(headers) + "\r\n")) << headers;
  }
  EXPECT_FALSE(is_well_formed(std::string_view("GET / HTTP/1.1\r\nX: \0\r\n\r\n", 24)));
}

TEST(IsWellFormed, IsFalseForWhatEndsElsewhereThanAtItsEmptyLine) {
  for (const char* head : {"", "\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\n\n",
                           "GET / HTTP/1.1\r\nX: a\r\n\n", "GET / HTTP/1.1\r\n\r\nX: a\r\n"}) {
    EXPECT_FALSE(is_well_formed(head)) << head;
  }
}

TEST(PathOf, DecodesOnceAndDropsWhatFollows) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/files/a%20b?x=%zz#y"), "/files/a b");
  EXPECT_EQ(path_of("/%2525"), "/%25");
  EXPECT_EQ(path_of("/a+b"), "/a+b");
  EXPECT_EQ(path_of("/%C3%bc"), "/\xc3\xbc");
}

TEST(PathOf, RefusesWhatIsNoPathFromTheRoot) {
  for (const char* target : {"", "*", "?", "a", "http://127.0.0.1/", "//%", "/%", "/%1", "/%1g",
                             "/%u0041", "/%00", "/%0a", "/%1f", "/%7f", "/\x01", "%2f"}) {
    EXPECT_EQ(path_of(target), std::nullopt) << target;
  }
  EXPECT_EQ(path_of(std::string_view("/\0", 2)), std::nullopt);
}

TEST(NamesThisServer, IsTrueForLoopbackWithAnyPort) {
  const Listener listener = listener_at("127.0.0.1", "127.0.0.1");
  for (const char* host : {"localhost", "LocalHost:8642", "127.0.0.1", "127.0.0.1:1",
                           "127.1.2.3:80", "[::1]", "[::1]:8642", "localhost:"}) {
    EXPECT_TRUE(names_this_server(host, listener)) << host;
  }
}

TEST(NamesThisServer, IsFalseForForeignNames) {
  const Listener listener = listener_at("127.0.0.1", "127.0.0.1");
  for (const char* host : {"",
                           ":",
                           ":8642",
                           "example.com",
                           "example.com:8642",
                           "127.0.0.1.example.com",
                           "localhost.evil",
                           "evil-localhost",
                           "localhost:8642:1",
                           "localhost:123456",
                           "localhost:80x",
                           "192.168.1.5",
                           "0.0.0.0",
                           "[::1",
                           "[]",
                           "[::1]x",
                           "[fe80::1]",
                           "::1",
                           "127.1",
                           "2130706433",
                           "0x7f.0.0.1",
                           "localhost ",
                           "user@localhost",
                           "localhost/",
                           "\xff"}) {
    EXPECT_FALSE(names_this_server(host, listener)) << host;
  }
}

TEST(NamesThisServer, IsTrueForTheAddressItListensAt) {
  const Listener named = listener_at("lab-machine", "192.168.1.5");
  EXPECT_TRUE(names_this_server("Lab-Machine:8642", named));
  EXPECT_TRUE(names_this_server("192.168.1.5:8642", named));
  EXPECT_FALSE(names_this_server("192.168.1.6:8642", named));
  const Listener six = listener_at("fd00::5", "fd00::5");
  EXPECT_TRUE(names_this_server("[fd00:0::0:5]:8642", six));
  EXPECT_FALSE(names_this_server("[fd00::6]:8642", six));
}

TEST(NamesThisServer, TakesAnyAddressButNoNameWhereItListensEverywhere) {
  for (const Listener& listener : {listener_at("0.0.0.0", "0.0.0.0"), listener_at("::", "::")}) {
    EXPECT_TRUE(names_this_server("192.168.1.5:8642", listener));
    EXPECT_TRUE(names_this_server("[fd00::5]:8642", listener));
    EXPECT_FALSE(names_this_server("example.com", listener));
  }
}

TEST(Accepts, ReadsListsWithQualities) {
  EXPECT_TRUE(accepts("gzip", "gzip"));
  EXPECT_TRUE(accepts("deflate, GZIP;q=0.5, br", "gzip"));
  EXPECT_TRUE(accepts("gzip ; q=1", "gzip"));
  EXPECT_TRUE(accepts("gzip;q=0.001", "gzip"));
  for (const char* list : {"", ",", ";", "br", "gzip;q=0", "gzip; q=0.000", "x-gzip", "gzipped"}) {
    EXPECT_FALSE(accepts(list, "gzip")) << list;
  }
}

TEST(Matches, ReadsListsOfTags) {
  EXPECT_TRUE(matches("\"3\"", "\"3\""));
  EXPECT_TRUE(matches("\"1\" , W/\"3\"", "\"3\""));
  EXPECT_TRUE(matches("*", "\"3\""));
  for (const char* list : {"", "3", "\"33\"", "\"\"", ",,", "W/", "\"3"}) {
    EXPECT_FALSE(matches(list, "\"3\"")) << list;
  }
}

TEST(ContentPolicy, HashesEveryScriptThatRunsAndNoOther) {
  const std::string one = content_policy("<script>alert(1)</script>");
  const std::string hash = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='";
  EXPECT_NE(one.find("script-src " + hash + " 'unsafe-eval'"), std::string::npos) << one;
  EXPECT_EQ(content_policy("<script type=\"application/json\">alert(2)</script>"
                           "<script>alert(1)</script>"),
            one);
  const std::string none = content_policy("<p>");
  EXPECT_EQ(none.find("sha256"), std::string::npos);
  for (const char* broken : {"<script", "<script>", "<script>alert(1)", "<script></script"}) {
    EXPECT_EQ(content_policy(broken).find(hash), std::string::npos) << broken;
  }
}

}  // namespace
}  // namespace lookback::serve
