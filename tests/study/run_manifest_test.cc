// What a run's manifest says of the engines that gave the run its bits.
#include "lookback/study/run_manifest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "lookback/base/checksum.h"
#include "lookback/model/cpu_engine.h"
#include "lookback/study/manifest.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;
using Sets = std::set<std::string>;

/// One short run with an inspection, ended.
class MadeBy : public testing::Test {
 protected:
  static RunConfig config() {
    RunConfig config = spec::parsed(spec::changed("inspect = false\n", "")).run(0, 1);
    config.train.tokens = 512;
    config.evaluate.sequences = 2;
    return config;
  }
  static std::uint64_t last_step() {
    return train::step_count(config().train, config().data.length);
  }

  void SetUp() override {
    spec::Listening listener;
    ASSERT_TRUE(run_single(config(), run(), false, engine_, listener));
  }

  Manifest manifest() const {
    const auto read = read_manifest(run());
    EXPECT_TRUE(read && *read);
    return read && *read ? **read : Manifest();
  }

  fs::path run() const { return directory_ / "run"; }

  model::CpuEngine engine_{1};
  const std::string this_one_ = engine_.signature();
  test::TemporaryDirectory directory_;
};

TEST_F(MadeBy, IsRecoveredFromTheCheckpointsWhereTheManifestIsLost) {
  fs::remove(run() / manifest_name);
  ASSERT_TRUE(note_stretch(run(), config(), last_step(), engine_));
  const Manifest found = manifest();
  ASSERT_EQ(found.made_by.size(), 1U) << found.made_by.dump();
  EXPECT_EQ(found.made_by[0]["engine"], this_one_);
  EXPECT_EQ(found.made_by[0]["from_step"], 0);
}

TEST_F(MadeBy, HasNoStretchOfOneThatOnlyNotesTheEnd) {
  const auto made_on_another = [](Manifest& manifest) {
    manifest.made_by[0]["engine"] = "another";
  };
  ASSERT_TRUE(update_manifest(run(), made_on_another));
  ASSERT_TRUE(note_stretch(run(), config(), last_step(), engine_));
  EXPECT_EQ(engines_of(manifest()), Sets{"another"});
  ASSERT_TRUE(note_stretch(run(), config(), 1, engine_));
  EXPECT_EQ(engines_of(manifest()), (Sets{"another", this_one_}));
}

TEST_F(MadeBy, IsAnotherEnginesFromWhereThatGoesOn) {
  model::ScalarEngine scalar(1);
  ASSERT_TRUE(note_stretch(run(), config(), 1, scalar));
  EXPECT_EQ(engines_of(manifest()), (Sets{"scalar float64", this_one_}));
  EXPECT_NE(warning_of(engines_of(manifest())), "");
}

TEST_F(MadeBy, AnotherEngineThatContinuesSaysSoInOneLine) {
  RunConfig longer = config();
  longer.train.tokens = 1024;
  model::ScalarEngine scalar(1);
  spec::Listening listener;
  ASSERT_TRUE(run_single(longer, run(), true, scalar, listener));
  const auto names_both = [&](const std::string& line) {
    return line.find(this_one_) != std::string::npos &&
           line.find(scalar.signature()) != std::string::npos;
  };
  EXPECT_EQ(std::ranges::count_if(listener.messages, names_both), 1);
  EXPECT_EQ(manifest().made_by.back()["engine"], scalar.signature());
}

/// As versions wrote it that noted an instruction set and nothing more of an engine.
TEST_F(MadeBy, OfAnEarlierVersionIsTheCpuEngineOnTheInstructionSetThatItNoted) {
  nlohmann::json old = nlohmann::json::parse(spec::text_of(run() / manifest_name));
  old["made_by"] = {{{"engine", "cpu"}, {"instruction_set", "AVX2"}, {"from_step", 0}}};
  for (nlohmann::json& file : old["files"]) {
    if (file.erase("engines") > 0) file["instruction_sets"] = {"SSE4"};
  }
  old.erase("checksum");
  old["checksum"] = base::checksum_text({base::bytes_of(old.dump())});
  std::ofstream(run() / manifest_name) << old.dump(2) << '\n';
  EXPECT_EQ(engines_of(manifest()), (Sets{"cpu float32 AVX2", "cpu float32 SSE4"}));
  ASSERT_TRUE(update_manifest(run(), [](Manifest&) {}));
  EXPECT_EQ(engines_of(manifest()), (Sets{"cpu float32 AVX2", "cpu float32 SSE4"}));
}

TEST_F(MadeBy, CountsWhatTheInspectionWasMadeOn) {
  EXPECT_EQ(manifest().files.at("inspection.json").engines, Sets{this_one_});
  EXPECT_EQ(manifest().files.at("inspection.safetensors").engines, Sets{this_one_});
  EXPECT_EQ(engines_of(manifest()), Sets{this_one_});
  const std::string names[] = {"inspection.json", "inspection.safetensors"};
  ASSERT_TRUE(list_files(run(), names, {"another"}));
  EXPECT_EQ(engines_of(manifest()), (Sets{"another", this_one_}));
}

}  // namespace
}  // namespace lookback::study
