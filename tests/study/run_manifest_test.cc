// What a run's manifest says of the engines that gave the run its bits.
#include "lookback/study/run_manifest.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST_F(MadeBy, OfAnEarlierVersionIsTheCpuEngineOnTheInstructionSetThatItNoted) {
  ASSERT_TRUE(update_manifest(run(), [](Manifest& manifest) {
    manifest.made_by = {{{"engine", "cpu"}, {"instruction_set", "AVX2"}}};
    manifest.files.erase("inspection.json");
    manifest.files.erase("inspection.safetensors");
  }));
  EXPECT_EQ(engines_of(manifest()), Sets{"cpu float32 AVX2"});
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
