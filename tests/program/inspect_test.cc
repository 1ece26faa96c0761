// lookback inspect as a process: its three forms, and NumPy reading what it wrote.
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using nlohmann::json;
using spec::lookback;
using spec::one_line;
using test::TemporaryDirectory;

/// One trained run of the small studies, made once.
class Inspect : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<TemporaryDirectory>();
    const std::string study = spec::write_study(*directory_, spec::three_arms(4));
    const spec::Ended trained = spec::run(
        lookback({"train", study, "--arm", "two-layer", "--out", run_path(), "--threads", "2"}));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { directory_.reset(); }

  static std::string run_path() { return (directory_->path() / "run").string(); }
  static std::string path(const char* name) { return (directory_->path() / name).string(); }

  static spec::Ended inspect(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"inspect", run_path(), "--sequences", "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return spec::run(lookback(std::move(arguments)));
  }

 private:
  static inline std::unique_ptr<TemporaryDirectory> directory_;
};

TEST_F(Inspect, ShowsTablesOfARunsLastCheckpoint) {
  const spec::Ended ended = inspect({});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  for (const char* part :
       {"two-layer, seed 0", "mechanism on repeated-blocks: none", "no transition so far", "chance",
        "repeated-blocks", "head 1.0 <- head 0.0, resample", "ln_final removed",
        "'match' corrupted", "composition scores", "k_composition of heads 0.0 and 1.0",
        "folded: ", "frozen: ", "ignored: "}) {
    EXPECT_NE(ended.out.find(part), std::string::npos) << part << "\n" << ended.out;
  }
}

TEST_F(Inspect, SaysTheSameAsJson) {
  const spec::Ended ended = inspect({"--json", "--probe", "random-repeat"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const json found = json::parse(ended.out, nullptr, false);
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found["arm"], "two-layer");
  EXPECT_EQ(found["probes"].size(), 1U);
  EXPECT_EQ(found["probes"]["random-repeat"]["heads"].size(), 2U);
  EXPECT_TRUE(found["transitions"]["transition"].is_null());
  EXPECT_EQ(found["mechanism"]["probe"], "random-repeat");
}

TEST_F(Inspect, WritesArraysOverNothingThatIsNotItsOwn) {
  const std::string file = path("notes.txt");
  std::ofstream(file) << "a person's notes";
  EXPECT_NE(one_line(inspect({"--arrays", file})).find(file + ": "), std::string::npos);
  const std::string checkpoint = run_path() + "/checkpoints/0.safetensors";
  EXPECT_NE(one_line(inspect({"--arrays", checkpoint})).find(checkpoint + ": "), std::string::npos);
  const std::string arrays = path("again.safetensors");
  EXPECT_EQ(inspect({"--arrays", arrays}).exit_code, 0);
  EXPECT_EQ(inspect({"--arrays", arrays}).exit_code, 0);
}

TEST_F(Inspect, SaysWhatTheOptionForNpzIsCalledNow) {
  for (const std::vector<std::string>& old : std::vector<std::vector<std::string>>{
           {"--npz", path("old.npz")}, {"--npz=" + path("old.npz")}}) {
    EXPECT_NE(one_line(inspect(old), 2).find("--arrays"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(path("old.npz")));
  const spec::Ended help = spec::run(lookback({"inspect", "--help"}));
  EXPECT_EQ(help.out.find("--npz"), std::string::npos);
}

TEST_F(Inspect, ItsArraysAreReadWithJsonAndNumPyAlone) {
  const std::string file = path("arrays.safetensors");
  ASSERT_EQ(inspect({"--arrays", file}).exit_code, 0);
  const spec::Ended read = spec::run(
      {.arguments = {spec::python, "-c",
                     "import json, sys\n"
                     "try:\n import numpy as np\n"
                     "except ImportError: sys.exit(77)\n"
                     "data = open(sys.argv[1], 'rb').read()\n"
                     "start = 8 + int.from_bytes(data[:8], 'little')\n"
                     "header = json.loads(data[8:start])\n"
                     "of = header.pop('__metadata__')\n"
                     "assert (of['format'], of['arm']) == ('lookback inspection 3', 'two-layer')\n"
                     "def load(name):\n"
                     " t = header[name]; begin, end = t['data_offsets']\n"
                     " assert t['dtype'] == 'F32'\n"
                     " flat = np.frombuffer(data[start + begin:start + end], '<f4')\n"
                     " return flat.reshape(t['shape'])\n"
                     "a = {name: load(name) for name in header}\n"
                     "m = a['attention/1.0']\n"
                     "assert np.allclose(m.sum(1), 1, atol=1e-5)\n"
                     "assert np.array_equal(m, np.tril(m))\n"
                     "e = a['circuits/ov/0.0/eigenvalues']; w = a['circuits/ov/0.0/matrix']\n"
                     "e = e[:, 0] + 1j * e[:, 1]\n"
                     "assert abs(e.sum() - np.trace(w)) < 1e-3 * np.abs(e).sum() + 1e-6\n",
                     file},
       .environment = {},
       .largest_file = {},
       .out_file = {}});
  if (read.exit_code == 77) GTEST_SKIP() << "NumPy is not installed";
  EXPECT_EQ(read.exit_code, 0) << read.err;
}

TEST_F(Inspect, RefusesWhatIsNoModelInOneLine) {
  EXPECT_EQ(one_line(spec::run(lookback({"inspect", path("nothing")}))),
            path("nothing") + ": cannot open: No such file or directory");
  const std::string empty = path("empty");
  std::filesystem::create_directory(empty);
  EXPECT_EQ(one_line(spec::run(lookback({"inspect", empty}))),
            empty +
                ": found a directory without checkpoints/<tokens>.safetensors, allowed: a "
                "checkpoint or a run's directory");
  EXPECT_NE(one_line(inspect({"--probe", "random-repeet"}), 2).find("nearest: random-repeat"),
            std::string::npos);
}

}  // namespace
}  // namespace lookback::program
