// Every call to the file system fails once, or is the process's last. Whatever happened, the program
// says so or makes what it makes undisturbed, and the same command, given again, comes to the same bytes.
//
// All calls of all commands take minutes, so by default some are taken, evenly spread:
// LOOKBACK_FAULT_STRIDE=1 takes all, =100 every hundredth.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "tests/program/faults.h"
#include "tests/program/studies.h"
#include "tests/study/small_text.h"

namespace lookback::program {
namespace {

namespace fs = std::filesystem;
using spec::Command;
using spec::Ended;
using spec::Watched;
using test::TemporaryDirectory;
using Files = std::map<std::string, std::string>;

struct Kind {
  const char* name;
  int error;  ///< 0: SIGKILL
};
constexpr Kind kinds[] = {{"kill", 0}, {"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EMFILE", EMFILE}};

/// Of a command with very many calls, so many are taken by default.
constexpr std::size_t sampled = 24;

std::size_t stride_for(std::size_t calls) {
  const char* asked = std::getenv("LOOKBACK_FAULT_STRIDE");  // NOLINT: nobody writes to it
  std::size_t stride = 0;
  if (asked != nullptr) std::from_chars(asked, asked + std::string_view(asked).size(), stride);
  return stride > 0 ? stride : std::max<std::size_t>(1, calls / sampled);
}

std::string last_line(const std::string& text) {
  const std::string_view ended = std::string_view(text).substr(0, text.find_last_not_of('\n') + 1);
  return std::string(ended.substr(ended.rfind('\n') + 1));  // npos + 1 is the beginning
}

/// As long as it lives, temporary directories are in memory where there is such a place: thousands of
/// syncs take minutes on a disk that others use.
class InMemory {
 public:
  InMemory() {
    const char* given = std::getenv("TMPDIR");  // NOLINT: nobody else writes to it
    if (given != nullptr) before_ = given;
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);  // NOLINT
  }
  ~InMemory() {
    if (before_) ::setenv("TMPDIR", before_->c_str(), 1);  // NOLINT
    if (!before_) ::unsetenv("TMPDIR");                    // NOLINT
  }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;

 private:
  std::optional<std::string> before_;
};

/// A command on a copy of a given directory, disturbed and then given again.
class Faults : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (!spec::can_watch_calls()) GTEST_SKIP() << "this system cannot watch a process's calls";
  }

  using MakeCommand = std::function<Command(const fs::path& directory, bool again)>;

  /// Each chosen call fails in a fresh directory that holds what `given` holds.
  void expect_no_harm(const fs::path& given, const MakeCommand& command) {
    const TemporaryDirectory whole;
    copy(given, whole.path());
    const Watched undisturbed = spec::watch(command(whole.path(), false), whole.path());
    ASSERT_EQ(undisturbed.ended.exit_code, 0) << undisturbed.ended.err;
    ASSERT_FALSE(undisturbed.calls.empty());
    expected_ = spec::results(whole.path());
    const std::size_t stride = stride_for(undisturbed.calls.size());
    for (std::size_t call = stride / 2; call < undisturbed.calls.size(); call += stride) {
      if (GetParam().error != 0 && unlocks(undisturbed.calls[call])) continue;
      SCOPED_TRACE(fmt::format("{} at call {} of {}: {}", GetParam().name, call,
                               undisturbed.calls.size(), undisturbed.calls[call]));
      disturb(given, command, {call, GetParam().error}, undisturbed.ended.out, whole.path());
    }
  }

 private:
  const InMemory in_memory_;

  /// A close that fails has closed all the same, which cannot be imitated: it would keep the lock.
  static bool unlocks(const spec::FileCall& call) {
    return call.starts_with("close ") && call.ends_with("lock");
  }

  static void copy(const fs::path& from, const fs::path& to) {
    fs::copy(from, to, fs::copy_options::recursive);
  }

  void disturb(const fs::path& given, const MakeCommand& command, const spec::Fault& fault,
               const std::string& out, const fs::path& whole) {
    const TemporaryDirectory directory;
    copy(given, directory.path());
    const Ended ended =
        spec::watch(command(directory.path(), false), directory.path(), &fault).ended;
    if (fault.error == 0) {
      EXPECT_EQ(ended.signal, SIGKILL);
    } else {
      EXPECT_EQ(ended.signal, 0) << ended.err;
      EXPECT_TRUE(ended.exit_code >= 0 && ended.exit_code <= 2) << ended.exit_code << ended.err;
      if (ended.exit_code != 0) {
        EXPECT_TRUE(last_line(ended.err).starts_with("lookback: ")) << ended.err;
      } else {
        EXPECT_EQ(ended.out, with_place(out, whole, directory.path())) << ended.err;
        spec::expect_same_results(spec::results(directory.path()), expected_);
      }
    }
    const Ended again = spec::run(command(directory.path(), true));
    EXPECT_EQ(again.exit_code, 0) << again.err << "\nafter: " << ended.err;
    EXPECT_EQ(again.out, with_place(out, whole, directory.path()));
    spec::expect_same_results(spec::results(directory.path()), expected_);
  }

  static std::string with_place(std::string text, const fs::path& from, const fs::path& to) {
    for (std::size_t at = text.find(from.string()); at != std::string::npos;
         at = text.find(from.string(), at + to.string().size())) {
      text.replace(at, from.string().size(), to.string());
    }
    return text;
  }

  Files expected_;
};

/// Two arms of three steps, with a claim that both decide.
std::string short_study() {
  return R"(name = "short"
question = "Does it survive?"
seeds = 1
[model]
vocabulary = 8
context = 16
d_model = 8
d_head = 4
[data]
period = [3, 5]
[evaluate]
sequences = 2
probes = ["repeated-blocks"]
[train]
tokens = 192
batch = 4
shards = 2
warmup_steps = 1
resume_seconds = 0
evaluations_per_decade = 2
checkpoints_per_decade = 1
[[arm]]
name = "one"
[[arm]]
name = "two"
[arm.model]
layers = 2
[[claim]]
name = "score"
says = "Two layers copy better."
[[claim.test]]
finding = "induction_score"
arm = "two"
above_arm = "one"
)";
}

class SlowFaults : public Faults {};

TEST_P(SlowFaults, AStudyGoesOnToTheSameBytes) {
  const TemporaryDirectory given;
  spec::write_study(given, short_study());
  expect_no_harm(given.path(), [](const fs::path& directory, bool again) {
    Command command = spec::lookback(
        {"study", directory / "study.toml", "--out", directory / "study", "--threads", "1"});
    if (again) command.arguments.emplace_back("--resume");
    return command;
  });
}

/// The other commands, on a finished run and what is made of it.
class SlowCommandFaults : public Faults {
 protected:
  static void SetUpTestSuite() {
    const InMemory in_memory;
    given_ = std::make_unique<TemporaryDirectory>();
    const std::string study = spec::write_study(*given_, short_study());
    std::ofstream(*given_ / "text.txt") << study::spec::made_up_text(20);
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"study", study, "--out", *given_ / "study", "--threads", "1"},
             {"export", *given_ / "study/two/seed-0", "--to", "transformer-lens", "--out",
              *given_ / "model"}}) {
      const Ended ended = spec::run(spec::lookback(arguments));
      ASSERT_EQ(ended.exit_code, 0) << ended.err;
    }
  }
  static void TearDownTestSuite() { given_.reset(); }

  /// The command's arguments, of which those that begin with '@' lie in the directory.
  void expect_no_harm_to(const std::vector<std::string>& arguments) {
    expect_no_harm(given_->path(), [&](const fs::path& directory, bool) {
      std::vector<std::string> whole = arguments;
      for (std::string& argument : whole) {
        if (argument.starts_with('@')) argument = directory / argument.substr(1);
      }
      return spec::lookback(whole);
    });
  }

  static inline std::unique_ptr<TemporaryDirectory> given_;
};

TEST_P(SlowCommandFaults, Report) { expect_no_harm_to({"report", "@study"}); }
TEST_P(SlowCommandFaults, Ledger) { expect_no_harm_to({"ledger", "@study"}); }
TEST_P(SlowCommandFaults, Inspect) {
  expect_no_harm_to({"inspect", "@study/two/seed-0", "--json", "--arrays", "@arrays.safetensors",
                     "--sequences", "2", "--threads", "1"});
}
TEST_P(SlowCommandFaults, Export) {
  expect_no_harm_to({"export", "@study/two/seed-0", "--to", "torch", "--out", "@exported"});
}
TEST_P(SlowCommandFaults, Import) {
  expect_no_harm_to({"import", "@model", "--out", "@imported.safetensors"});
}
TEST_P(SlowCommandFaults, Construct) {
  expect_no_harm_to({"construct", "smeared", "--vocabulary", "8", "--context", "16", "--out",
                     "@made.safetensors"});
}
TEST_P(SlowCommandFaults, TokensTrain) {
  expect_no_harm_to(
      {"tokens", "train", "@text.txt", "--vocabulary", "270", "--out", "@tokenizer.json"});
}

TEST(Directories, ThoseThatAreMadeAboveARunAreSynced) {
  if (!spec::can_watch_calls()) GTEST_SKIP() << "this system cannot watch a process's calls";
  const TemporaryDirectory directory;
  const std::string study = spec::write_study(directory, short_study());
  fs::path above = directory / "there";
  fs::create_directory(above);
  const Watched watched =
      spec::watch(spec::lookback({"train", study, "--arm", "one", "--out", above / "a/b/run"}),
                  directory.path());
  ASSERT_EQ(watched.ended.exit_code, 0) << watched.ended.err;
  for (const char* name : {"a", "b", "run", "checkpoints"}) {
    const fs::path made = above / name;
    const auto at = std::ranges::find(watched.calls, "mkdir " + made.string());
    ASSERT_NE(at, watched.calls.end()) << made;
    EXPECT_NE(std::find(at, watched.calls.end(), "sync " + above.string()), watched.calls.end())
        << above << " does not keep " << name << " through a power cut";
    above = made;
  }
}

const auto name_of = [](const testing::TestParamInfo<Kind>& kind) {
  return std::string(kind.param.name);
};
INSTANTIATE_TEST_SUITE_P(, SlowFaults, testing::ValuesIn(kinds), name_of);
INSTANTIATE_TEST_SUITE_P(, SlowCommandFaults, testing::ValuesIn(kinds), name_of);

}  // namespace
}  // namespace lookback::program
