// The files of the directory can be had, and no other file of the machine.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lookback/serve/plain_files.h"
#include "tests/base/temporary_directory.h"
#include "tests/serve/client.h"
#include "tests/serve/served.h"

namespace lookback::serve {
namespace {

namespace fs = std::filesystem;
using spec::Answer;
using spec::ask;
using spec::get;
using spec::Served;
using test::TemporaryDirectory;

TEST(Files, AreGivenByteForByteWithATypeThatRunsNothing) {
  const Served served;
  std::string weights(300'000, '\0');
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<char>(i * 7);
  const std::string run = "two-layer/seed-0/";
  served.write(run + "checkpoints/16384.safetensors", weights);
  served.write(run + "metrics.jsonl", "{\"step\":0}\n");
  served.write("ledger.json", "{}");
  served.write("report.html", "<script>alert(1)</script>");
  served.write("empty.json", "");
  struct Expected {
    std::string path, type, disposition;
  };
  for (const Expected& file : std::vector<Expected>{
           {run + "checkpoints/16384.safetensors", "application/octet-stream", "attachment"},
           {run + "metrics.jsonl", "text/plain; charset=utf-8", ""},
           {"ledger.json", "application/json", ""},
           {"report.html", "application/octet-stream", "attachment"},
           {"empty.json", "application/json", ""}}) {
    const Answer answer = ask(served.port(), get("/files/" + file.path));
    EXPECT_EQ(answer.status, 200) << file.path;
    EXPECT_EQ(answer.header("content-type"), file.type) << file.path;
    EXPECT_EQ(answer.header("content-disposition"), file.disposition) << file.path;
    EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size())) << file.path;
  }
  EXPECT_TRUE(ask(served.port(), get("/files/" + run + "checkpoints/16384.safetensors")).body ==
              weights);
}

TEST(Files, MayHaveAnyNameThatCanBeWrittenInAPath) {
  const Served served;
  served.write("a b/ü%2e+?.json", "1");
  EXPECT_EQ(ask(served.port(), get("/files/a%20b/%C3%BC%252e+%3f.json")).body, "1");
}

TEST(Files, AreSentAsLongAsTheyWereWhenAsked) {
  const Served served;
  served.write("metrics.jsonl", "1\n");
  std::ofstream(served.directory() / "metrics.jsonl", std::ios::app) << "2\n";
  EXPECT_EQ(ask(served.port(), get("/files/metrics.jsonl")).body, "1\n2\n");
}

/// A directory to serve in the middle of things that are nobody's business.
class OutsideOfTheDirectory : public testing::Test {
 protected:
  OutsideOfTheDirectory() {
    fs::create_directories(root() / "arm/seed-0");
    write("study/ledger.json", "{}");
    write("study/.lock", "hidden");
    write("study/arm/.metrics.jsonl.partial-1", "hidden");
    write("study/.git/config", "hidden");
    write("secret", "secret");
    write("study-2/secret", "secret");
    fs::create_symlink(root() / "ledger.json", root() / "arm/inside.json");
    fs::create_symlink("../ledger.json", root() / "arm/beside.json");
    fs::create_symlink(directory_ / "secret", root() / "out.json");
    fs::create_symlink("../secret", root() / "out-relative.json");
    fs::create_directory_symlink(directory_.path(), root() / "out");
    fs::create_symlink(".lock", root() / "lock.json");
    fs::create_symlink("loop.json", root() / "loop.json");
    fs::create_symlink("gone.json", root() / "dangling.json");
    ::mkfifo((root() / "pipe.json").c_str(), 0600);
  }

  fs::path root() const { return directory_ / "study"; }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path) << text;
  }
  bool opens(std::string_view path) const { return open_plain_file(root(), path).has_value(); }

  TemporaryDirectory directory_;
};

TEST_F(OutsideOfTheDirectory, NothingIsReachedByPath) {
  EXPECT_TRUE(opens("ledger.json"));
  for (const char* path :
       {"", ".", "..", "/", "../secret", "arm/../ledger.json", "arm/../../secret", "./ledger.json",
        "arm//inside.json", "ledger.json/", "ledger.json/.", "../study-2/secret",
        "../study/ledger.json", "/etc/passwd", "//etc/passwd", "etc/passwd", "..\\secret"}) {
    EXPECT_FALSE(opens(path)) << path;
  }
  EXPECT_FALSE(opens((directory_ / "secret").string()));
  EXPECT_FALSE(opens((root() / "ledger.json").string()));
  EXPECT_FALSE(opens(std::string_view("ledger.json\0.txt", 16)));
  EXPECT_FALSE(opens(std::string(100'000, 'a')));
  EXPECT_FALSE(opens(std::string(2'000'000, '/')));
}

TEST_F(OutsideOfTheDirectory, NothingIsReachedByLink) {
  EXPECT_TRUE(opens("arm/inside.json"));
  EXPECT_TRUE(opens("arm/beside.json"));
  for (const char* path : {"out.json", "out-relative.json", "out/secret", "out/study/ledger.json",
                           "lock.json", "loop.json", "dangling.json"}) {
    EXPECT_EQ(opens(path), std::string_view(path) == "out/study/ledger.json") << path;
  }
}

TEST_F(OutsideOfTheDirectory, HiddenFilesDirectoriesAndPipesAreNotGiven) {
  for (const char* path :
       {".lock", "arm/.metrics.jsonl.partial-1", ".git/config", "arm", "arm/seed-0", "pipe.json"}) {
    EXPECT_FALSE(opens(path)) << path;
  }
}

TEST_F(OutsideOfTheDirectory, AnUnreadableOrMissingDirectoryHasNoFiles) {
  EXPECT_FALSE(open_plain_file(directory_ / "nowhere", "ledger.json"));
  EXPECT_FALSE(open_plain_file(root() / "ledger.json", "ledger.json"));
  EXPECT_FALSE(open_plain_file("", "ledger.json"));
}

TEST_F(OutsideOfTheDirectory, TheDirectoryItselfMayBeALink) {
  fs::create_directory_symlink("study", directory_ / "newest");
  EXPECT_TRUE(open_plain_file(directory_ / "newest", "ledger.json"));
}

TEST(Files, AboveTheDirectoryAreNotReachedInAnyEncoding) {
  const Served served;
  const std::string name = served.directory().path().filename().string();
  served.write("ledger.json", "{}");
  for (const std::string& path : std::vector<std::string>{
           "/files/../" + name + "/ledger.json", "/files/%2e%2e/" + name + "/ledger.json",
           "/files/..%2f" + name + "%2fledger.json", "/files/%2E%2E%2F" + name + "/ledger.json",
           "/files/.%2e/" + name + "/ledger.json", "/files/..%5c" + name + "/ledger.json",
           "/files/..\\" + name + "\\ledger.json", "/files//etc/passwd", "/files/%2fetc%2fpasswd",
           "/files/%2e/ledger.json", "/files/../../../../../../../../etc/passwd", "/../etc/passwd",
           "/..%2f..%2fetc/passwd", "/files/ledger.json/..", "/files/ledger.json%2f",
           "/files/%252e%252e/" + name + "/ledger.json",
           "/files/%c0%ae%c0%ae/" + name + "/ledger.json"}) {
    EXPECT_EQ(ask(served.port(), get(path)).status, 404) << path;
  }
  for (const char* path :
       {"/files/ledger.json%00", "/files/%00", "/files/%0d%0aledger.json", "/files/ledger.json%7f",
        "/files/%u002e%u002e/x", "/files/%", "/files/%2", "/files/%g0"}) {
    EXPECT_EQ(ask(served.port(), get(path)).status, 400) << path;
  }
  EXPECT_EQ(ask(served.port(), get("/files/ledger%2ejson")).body, "{}");
}

}  // namespace
}  // namespace lookback::serve
