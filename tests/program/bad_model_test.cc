// Models that cannot be read, or not be inspected as asked: one line that says where and why.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>

#include "lookback/base/file.h"
#include "lookback/base/safetensors.h"
#include "lookback/study/run_config.h"
#include "lookback/train/checkpoint.h"
#include "tests/base/like.h"
#include "tests/program/studies.h"

namespace lookback::program {
namespace {

using spec::lookback;
using spec::one_line;

/// A model alone, and what a mistake makes of its file.
class BadModel : public testing::Test {
 protected:
  BadModel() {
    config_.arm = "made";
    config_.architecture.vocabulary = 16;
    config_.architecture.context = 32;
    config_.architecture.d_model = 16;
    config_.architecture.d_head = 8;
    config_.data.length = 32;
    config_.data.task.values["period"] = base::Range{3, 8};
    config_.evaluate.probes = {"repeated-blocks"};
  }

  /// Writes the model; `change` may spoil its parameters, `told` what the file says about it.
  void write(const std::function<void(const model::Program&, std::vector<float>&)>& change = {},
             const std::function<void(study::RunConfig&)>& told = {}) {
    const Result<model::Program> program = model::compile(config_.architecture);
    ASSERT_TRUE(program) << program.error().message;
    std::vector<float> parameters = model::initialize(*program, 0);
    if (change) change(*program, parameters);
    study::RunConfig says = config_;
    if (told) told(says);
    const Status written =
        train::write_model(file_, *program, parameters, {.config = study::to_toml(says)});
    ASSERT_TRUE(written) << written.error().message;
  }

  std::string bytes() const {
    const Result<std::string> read = base::read_file(file_, std::size_t{1} << 24);
    EXPECT_TRUE(read);
    return read ? *read : std::string();
  }

  void replace(const std::string& bytes) const {
    const Status written = base::write_file_atomically(file_, bytes);
    ASSERT_TRUE(written) << written.error().message;
  }

  /// The line that every command gets which reads the file, with FILE in the place of its name.
  std::string line(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> inspect = {"inspect", file_, "--sequences", "2", "--threads", "1"};
    inspect.insert(inspect.end(), more.begin(), more.end());
    std::string found = one_line(spec::run(lookback(inspect)));
    if (more.empty()) {
      const std::string out = directory_ / "out";
      EXPECT_EQ(one_line(spec::run(lookback({"export", file_, "--to", "torch", "--out", out}))),
                found);
      EXPECT_FALSE(std::filesystem::exists(out));
    }
    if (const std::size_t at = found.find(file_); at != std::string::npos) {
      found.replace(at, file_.size(), "FILE");
    }
    return found;
  }

  test::TemporaryDirectory directory_;
  std::string file_ = directory_ / "model.safetensors";
  study::RunConfig config_;
};

TEST_F(BadModel, IsOtherwiseInspected) {
  write();
  const spec::Ended ended = spec::run(lookback({"inspect", file_, "--sequences", "2"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(BadModel, Truncated) {
  write();
  const std::string whole = bytes();
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}}) {
    replace(whole.substr(0, size));
    EXPECT_EQ(line(), "FILE: damaged, or not a safetensors file: found " + std::to_string(size) +
                          " bytes, allowed: 8 or more");
  }
  replace(whole.substr(0, 100));
  EXPECT_NE(line().find("FILE: damaged, or not a safetensors file: found a header length"),
            std::string::npos);
  replace(whole.substr(0, whole.size() - 4));
  EXPECT_NE(line().find("tensor 'unembed.W_U': found offsets "), std::string::npos) << line();
}

TEST_F(BadModel, Corrupted) {
  write();
  const std::string whole = bytes();
  for (const std::size_t place : {whole.size() - 1, whole.size() / 2}) {
    std::string changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    replace(changed);
    EXPECT_EQ(line(), "FILE: damaged: its checksum is not that of its contents");
  }
}

TEST_F(BadModel, AHeaderThatClaimsMoreThanThereIs) {
  write();
  std::string changed = bytes();
  const std::size_t rest = changed.size() - 8;
  for (const std::uint64_t length :
       {std::uint64_t{1} << 30, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
    std::memcpy(changed.data(), &length, sizeof(length));
    replace(changed);
    EXPECT_EQ(line(), "FILE: damaged, or not a safetensors file: found a header length of " +
                          std::to_string(length) + ", allowed at most " + std::to_string(rest));
  }
}

TEST_F(BadModel, OfAnotherShapeThanItSays) {
  write({}, [](study::RunConfig& told) { told.architecture.d_head = 4; });
  EXPECT_EQ(line(),
            "FILE: tensor 'blocks.0.attn.W_Q': found shape [16, 8], allowed [16, 4] by its "
            "configuration");
  write({}, [](study::RunConfig& told) { told.architecture.layers = 2; });
  EXPECT_EQ(line().rfind("FILE: tensor 'blocks.1.ln1.w' is missing; nearest: ", 0), 0U) << line();
}

TEST_F(BadModel, WeightsThatAreNotFiniteAreNamed) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {NAN, infinity, -infinity}) {
    write([&](const model::Program& program, std::vector<float>& parameters) {
      const model::ParameterInfo* info = program.find_parameter("blocks.0.attn.W_V");
      ASSERT_NE(info, nullptr);
      parameters[info->offset + 3] = value;
    });
    EXPECT_TRUE(test::like(line(), "FILE: tensor 'blocks.0.attn.W_V' holds non-finite *"));
  }
}

TEST_F(BadModel, ThatSaysNothingSensibleOfItself) {
  write({}, [](study::RunConfig& told) { told.architecture.layers = 0; });
  EXPECT_TRUE(test::like(line(), "FILE: metadata 'config': model.layers is 0; *1 to 1024"));
  write({}, [](study::RunConfig& told) { told.architecture.vocabulary = 1 << 30; });
  EXPECT_EQ(line().rfind("FILE: metadata 'config':6: key 'model.vocabulary': found 1073741824", 0),
            0U)
      << line();
  write({}, [](study::RunConfig& told) { told.arm = "two\nlines"; });
  EXPECT_EQ(line().rfind("FILE: metadata 'config':2: not TOML: ", 0), 0U) << line();
  write({}, [](study::RunConfig& told) { told.arm = "two\\nlines"; });
  EXPECT_TRUE(test::like(line(), "FILE: metadata 'config':2: key 'run.arm': found \"two lines\"*"));
  const base::Tensor none[] = {{"w", {0}, {}}};
  ASSERT_TRUE(base::write_safetensors(file_, none, {}));
  EXPECT_EQ(line().rfind("FILE: not a checkpoint of lookback: its metadata has no 'format'", 0), 0U)
      << line();
}

TEST_F(BadModel, NumbersInItsMetadataThatAreNone) {
  const base::Tensor none[] = {{"w", {0}, {}}};
  ASSERT_TRUE(base::write_safetensors(file_, none,
                                      {{"format", "lookback checkpoint 1"},
                                       {"config", study::to_toml(config_)},
                                       {"seed", "1\n2"}}));
  EXPECT_TRUE(test::like(line(), "FILE: metadata 'seed' is '1 2'*"));
}

TEST_F(BadModel, TooShortForAProbe) {
  config_.architecture.context = config_.data.length = 17;
  write();
  EXPECT_EQ(line({"--probe", "random-repeat"}),
            "probe 'random-repeat' does not fit the model: random-repeat: found a length of 17, "
            "allowed: an even one, two halves");
  EXPECT_EQ(line({"--probe", "broken-period"})
                .rfind("probe 'broken-period' does not fit the model: "
                       "broken-period: found a length of 17, ",
                       0),
            0U);
}

TEST_F(BadModel, WithTooFewTokensForItsTask) {
  write({}, [](study::RunConfig& told) { told.architecture.vocabulary = 1; });
  EXPECT_TRUE(test::like(line(), "FILE: metadata 'config': model.vocabulary is 1; *2 to 1048576"));
}

/// The same files as `lookback import` reads them.
class BadExport : public BadModel {
 protected:
  void SetUp() override {
    write();
    const spec::Ended ended =
        spec::run(lookback({"export", file_, "--to", "transformer-lens", "--out", exported_}));
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    file_ = exported_ + "/model.safetensors";
  }

  std::string import_line() const {
    const std::string out = directory_ / "imported.safetensors";
    std::string found = one_line(spec::run(lookback({"import", exported_, "--out", out})));
    EXPECT_FALSE(std::filesystem::exists(out));
    if (const std::size_t at = found.find(file_); at != std::string::npos) {
      found.replace(at, file_.size(), "FILE");
    }
    return found;
  }

  std::string exported_ = directory_ / "exported";
};

TEST_F(BadExport, IsToldInOneLine) {
  const std::string whole = bytes();
  replace(whole.substr(0, 5));
  EXPECT_EQ(import_line(),
            "FILE: damaged, or not a safetensors file: found 5 bytes, allowed: 8 or more");
  std::string changed = whole;
  changed[whole.size() - 2] = static_cast<char>(changed[whole.size() - 2] ^ 64);
  replace(changed);
  EXPECT_EQ(import_line(), "FILE: damaged: its checksum is not that of its contents");
  std::memset(changed.data(), 0x7f, 8);
  replace(changed);
  EXPECT_NE(import_line().find("found a header length of 9187201950435737471, "),
            std::string::npos);
  const std::vector<float> values(16, NAN);
  const base::Tensor one[] = {{"unembed.b_U", {16}, values}};
  ASSERT_TRUE(base::write_safetensors(file_, one, {}));
  EXPECT_EQ(import_line().rfind("FILE: tensor 'embed.W_E' is missing", 0), 0U) << import_line();
}

}  // namespace
}  // namespace lookback::program
