// What a run's manifest says of the instruction sets that gave the run its bits.
#include "lookback/study/run_manifest.h"

#include <gtest/gtest.h>

#include "lookback/math/targets.h"
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
    model::CpuEngine engine(1);
    spec::Listening listener;
    ASSERT_TRUE(run_single(config(), run(), false, engine, listener));
  }

  Manifest manifest() const {
    const auto read = read_manifest(run());
    EXPECT_TRUE(read && *read);
    return read && *read ? **read : Manifest();
  }

  fs::path run() const { return directory_ / "run"; }

  const std::string this_one_ = math::active_instruction_set();
  test::TemporaryDirectory directory_;
};

TEST_F(MadeBy, IsRecoveredFromTheCheckpointsWhereTheManifestIsLost) {
  fs::remove(run() / manifest_name);
  ASSERT_TRUE(note_stretch(run(), config(), last_step()));
  const Manifest found = manifest();
  ASSERT_EQ(found.made_by.size(), 1U) << found.made_by.dump();
  EXPECT_EQ(found.made_by[0]["instruction_set"], this_one_);
  EXPECT_EQ(found.made_by[0]["from_step"], 0);
}

TEST_F(MadeBy, HasNoStretchOfOneThatOnlyNotesTheEnd) {
  const auto made_on_another = [](Manifest& manifest) {
    manifest.made_by[0]["instruction_set"] = "another";
  };
  ASSERT_TRUE(update_manifest(run(), made_on_another));
  ASSERT_TRUE(note_stretch(run(), config(), last_step()));
  EXPECT_EQ(instruction_sets_of(manifest()), Sets{"another"});
  ASSERT_TRUE(note_stretch(run(), config(), 1));
  EXPECT_EQ(instruction_sets_of(manifest()), (Sets{"another", this_one_}));
}

TEST_F(MadeBy, CountsWhatTheInspectionWasMadeOn) {
  EXPECT_EQ(manifest().files.at("inspection.json").instruction_sets, Sets{this_one_});
  EXPECT_EQ(manifest().files.at("inspection.safetensors").instruction_sets, Sets{this_one_});
  EXPECT_EQ(instruction_sets_of(manifest()), Sets{this_one_});
  const std::string names[] = {"inspection.json", "inspection.safetensors"};
  ASSERT_TRUE(list_files(run(), names, {"another"}));
  EXPECT_EQ(instruction_sets_of(manifest()), (Sets{"another", this_one_}));
}

}  // namespace
}  // namespace lookback::study
