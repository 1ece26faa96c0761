#include "tests/program/studies.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "lookback/base/file.h"
#include "lookback/study/manifest.h"
#include "lookback/study/run_manifest.h"
#include "tests/study/small_text.h"

namespace lookback::program::spec {
namespace {

/// What both studies begin with.
std::string beginning(std::size_t tokens, const std::string& more_training, bool inspect) {
  return fmt::format(R"(name = "small"
question = "Does it run?"
[model]
vocabulary = 16
context = 32
d_model = 16
d_head = 8
[data]
period = [3, 8]
[evaluate]
sequences = 4
probes = ["repeated-blocks"]
{}[train]
tokens = {}
batch = 8
shards = 4
learning_rate = 3e-3
warmup_steps = 5
resume_seconds = 0
{}
)",
                     inspect ? "" : "inspect = false\n", tokens, more_training);
}

constexpr const char* article_arms = R"([[arm]]
name = "two-layer"
[arm.model]
layers = 2
[[arm]]
name = "parallel"
[arm.model]
heads = 2
[[arm]]
name = "sequential"
[arm.model]
steps = 2
)";

constexpr const char* other_arms = R"([[arm]]
name = "rotary-no-ov"
[arm.model]
layers = 2
heads = 2
positions = "rotary"
no_ov = true
[[arm]]
name = "mlp-biases-tied"
[arm.model]
layers = 2
d_mlp = 24
biases = true
tied_embeddings = true
norm = "rmsnorm"
[[arm]]
name = "smeared"
[arm.model]
smeared_keys = true
positions = "shortformer"
)";

}  // namespace

const char* const clamps = R"([arm.clamp.look-back]
kind = "previous-token"
layer = 0
head = 0
tokens = [0, 5000]
[arm.clamp.copy]
kind = "copying"
layer = 0
head = 1
tokens = [2000, 8000]
[arm.clamp.start]
kind = "freeze"
activation = "hook_embed"
to = "initial"
tokens = [3000, 6000]
)";

std::string three_arms(std::size_t steps, const std::string& more_training) {
  return beginning(steps * 256, more_training, true) + article_arms;
}

std::string six_wirings() {
  return beginning(std::size_t{20} * 256, "evaluations_per_decade = 12", false) + article_arms +
         other_arms;
}

std::string write_study(const test::TemporaryDirectory& directory, const std::string& text) {
  std::string file = directory / "study.toml";
  std::ofstream(file) << text;
  return file;
}

std::string write_text_study(const test::TemporaryDirectory& directory, std::size_t steps,
                             const std::string& more_training) {
  const auto books = study::spec::prepare_text(directory, "books", study::spec::made_up_text(80));
  std::string study = study::spec::text_study(books);
  const std::string tokens = "tokens = 2560\n";
  const std::size_t at = study.find(tokens);
  EXPECT_NE(at, std::string::npos) << study;
  if (at == std::string::npos) return {};
  return write_study(directory,
                     study.replace(at, tokens.size(),
                                   fmt::format("tokens = {}\n{}\n", steps * 256, more_training)));
}

std::map<std::string, std::string> results(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const std::string path = std::filesystem::relative(entry.path(), directory).string();
    const bool of_time = name == "timing.json" || name == "summary.json" || name == "claims.json" ||
                         name == ".lock" || name == "manifest.json" || name == ".manifest-lock" ||
                         name == "report.html" || path.starts_with("figures/");
    if (!entry.is_regular_file() || of_time) continue;
    const Result<std::string> bytes = base::read_file(entry.path(), std::size_t{1} << 26);
    files[path] = bytes ? *bytes : bytes.error().message;
  }
  return files;
}

void unfinish(const std::filesystem::path& run) {
  ASSERT_TRUE(study::note_reopening(run));
  std::filesystem::remove(run / "findings.json");
}

void unfinish_study(const std::filesystem::path& study) {
  const std::string names[] = {"summary.json"};
  ASSERT_TRUE(study::unlist_files(study, names));
  std::filesystem::remove(study / names[0]);
}

void expect_same_results(const std::map<std::string, std::string>& found,
                         const std::map<std::string, std::string>& expected) {
  for (const auto& [path, bytes] : expected) {
    const auto same = found.find(path);
    if (same == found.end()) {
      ADD_FAILURE() << path << " is missing";
    } else if (same->second != bytes) {
      const auto differs = std::ranges::mismatch(same->second, bytes);
      ADD_FAILURE() << path << " differs from byte " << differs.in2 - bytes.begin() << " on";
    }
  }
  for (const auto& [path, bytes] : found) {
    EXPECT_TRUE(expected.contains(path)) << path << " should not be there";
  }
}

std::string one_line(const Ended& ended, int code) {
  const std::string beginning = "lookback: ";
  EXPECT_EQ(ended.signal, 0) << ended.err;
  EXPECT_EQ(ended.exit_code, code) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(ended.err.rfind(beginning, 0), 0U) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  if (ended.err.size() <= beginning.size()) return {};
  return ended.err.substr(beginning.size(), ended.err.find('\n') - beginning.size());
}

}  // namespace lookback::program::spec
