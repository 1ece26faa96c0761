// Whose directory it is: no two processes in one study or run, and nothing beside a person's own study
// file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lookback/model/cpu_engine.h"
#include "lookback/study/directory_lock.h"
#include "lookback/study/output_place.h"
#include "lookback/study/study.h"
#include "lookback/study/study_directory.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

using spec::changed;
using spec::Listening;
using spec::parsed;
using spec::small_study;
using spec::text_of;

class StudyPlace : public testing::Test {
 protected:
  Status run(const std::string& text, bool resume, Listening& listener) {
    model::CpuEngine engine(2);
    return run_study(parsed(text), out(), resume, engine, listener);
  }

  Status run(const std::string& text, bool resume = false) {
    Listening listener;
    return run(text, resume, listener);
  }

  void expect_finished(const Status& ending) { ASSERT_TRUE(ending) << ending.error().message; }

  static void expect_at_work_in(const std::filesystem::path& place, const Status& refused) {
    ASSERT_TRUE(refused.fails_with(ErrorKind::busy));
    EXPECT_EQ(refused.error().message.find(place.string() + ": "), 0U) << refused.error().message;
  }

  std::filesystem::path out() const { return directory_ / "out"; }

  test::TemporaryDirectory directory_;
};

TEST_F(StudyPlace, TwoAtOnceInOneDirectoryAreRefused) {
  const Result<DirectoryLock> first = DirectoryLock::take(out());
  ASSERT_TRUE(first) << first.error().message;
  expect_at_work_in(out(), run(small_study));
}

TEST_F(StudyPlace, WhoseFileSaysOtherRunsByNowIsNotMixedWithThem) {
  expect_finished(run(small_study));
  const std::filesystem::path file = out() / "study.toml";
  const std::string asked = text_of(file);
  const std::string edited = changed("warmup_steps = 2", "warmup_steps = 3");
  std::ofstream(file) << edited;
  for (const bool resume : {false, true}) {
    const Status ending = run(edited, resume);
    ASSERT_FALSE(ending);
    EXPECT_EQ(ending.error().message.find(file.string() + ": its runs were changed "), 0U)
        << ending.error().message;
  }
  expect_finished(run(small_study, true));  // the advice that it gives
  EXPECT_EQ(text_of(file), asked);
}

TEST_F(StudyPlace, BesideAStudyFileOfAPersonsOwnItIsRefusedAndLeavesNothing) {
  std::filesystem::create_directory(out());
  for (const char* own : {small_study, "question = \"Mine?\"\n", "[", ""}) {
    for (const bool resume : {false, true}) {
      std::ofstream(out() / "study.toml") << own;
      const Status ending = run(small_study, resume);
      ASSERT_FALSE(ending) << own;
      EXPECT_EQ(ending.error().message,
                (out() / "study.toml").string() +
                    ": no study here was started from this file, which would be overwritten; use "
                    "another --out");
      EXPECT_EQ(text_of(out() / "study.toml"), own);
      std::filesystem::remove(out() / "study.toml");
      EXPECT_TRUE(std::filesystem::is_empty(out()));
    }
  }
}

TEST_F(StudyPlace, ThatCouldNotBeReadAgainIsNotBegun) {
  // A tab is written as \u0009, which makes this study longer than any that is read.
  std::string text = small_study;
  for (int i = 0; i < 250; ++i) {
    text += "[[claim]]\nname = \"c" + std::to_string(i) + "\"\nsays = \"It learns.\"\narticle = '" +
            std::string(900, '\t') +
            "'\n[[claim.test]]\nfinding = \"induction_score\"\narm = \"parallel\"\nabove = 0\n";
  }
  const Status ending = run(text);
  ASSERT_FALSE(ending);
  EXPECT_EQ(ending.error().message.find((out() / "study.toml").string() + ": "), 0U);
  EXPECT_FALSE(std::filesystem::exists(out() / "study.toml"));
}

TEST_F(StudyPlace, KilledBeforeItsFirstRunItBegins) {
  for (const bool resume : {false, true}) {
    ASSERT_TRUE(DirectoryLock::take(out()));  // leaves its file
    std::ofstream(out() / "study.toml") << parsed(small_study).text;
    EXPECT_EQ(*kind_of(out()), DirectoryKind::other);
    expect_finished(run(small_study, resume));
    EXPECT_EQ(*kind_of(out()), DirectoryKind::study);
    std::filesystem::remove_all(out());
  }
}

TEST_F(StudyPlace, ARunThatAnotherProcessIsAtWorkInIsRefused) {
  const std::filesystem::path place = out() / "parallel/seed-0";
  {
    const Result<DirectoryLock> other = DirectoryLock::take(place);
    ASSERT_TRUE(other) << other.error().message;
    expect_at_work_in(place, run(small_study));
    EXPECT_FALSE(std::filesystem::exists(place / "config.toml"));
    EXPECT_TRUE(std::filesystem::exists(out() / "two-layer/seed-0/findings.json"));
  }
  expect_finished(run(small_study, true));
  const std::string inspected = changed("inspect = false\n", "");  // of what has ended as well
  std::filesystem::remove_all(out());
  expect_finished(run(inspected));
  std::filesystem::remove(place / "inspection.json");
  const Result<DirectoryLock> other = DirectoryLock::take(place);
  ASSERT_TRUE(other) << other.error().message;
  expect_at_work_in(place, run(inspected, true));
  EXPECT_FALSE(std::filesystem::exists(place / "inspection.json"));
}

TEST_F(StudyPlace, HoldsTheDirectoryOfTheRunThatItIsAtWorkIn) {
  const RunConfig config = parsed(small_study).run(0, 0);
  const std::filesystem::path place = out() / "two-layer/seed-0";
  Status other;
  Listening meddling([&] {
    model::CpuEngine engine(1);
    Listening listener;
    other = run_single(config, place, true, engine, listener);
    return true;
  });
  EXPECT_TRUE(run(small_study, false, meddling).fails_with(ErrorKind::stopped));
  expect_at_work_in(place, other);
}

TEST_F(StudyPlace, NoticesAStudyFileWhoseRunsWereChanged) {
  ASSERT_TRUE(run(small_study));
  const std::string text = text_of(out() / "study.toml");
  std::ofstream(out() / "study.toml") << changed("warmup_steps = 2", "warmup_steps = 3");
  EXPECT_FALSE(read_study_in(out()));
  EXPECT_FALSE(run(small_study));
  ASSERT_TRUE(run(small_study, true));
  EXPECT_EQ(text_of(out() / "study.toml"), text);
  EXPECT_TRUE(read_study_in(out()));
  std::ofstream(out() / "study.toml") << changed("Does it run?", "Does it walk?");
  EXPECT_TRUE(read_study_in(out())) << "the question is no part of its runs";
}

}  // namespace
}  // namespace lookback::study
