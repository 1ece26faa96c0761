#include "lookback/math/targets.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include "tests/math/support.h"

namespace lookback::math {
namespace {

class Targets : public ::testing::Test {
 protected:
  void TearDown() override {
    unsetenv("LOOKBACK_ISA");
    ASSERT_TRUE(select_instruction_set(before_));
  }

 private:
  std::string before_ = active_instruction_set();
};

TEST_F(Targets, TheScalarOneIsAlwaysThereAndLast) {
  ASSERT_FALSE(available_instruction_sets().empty());
  EXPECT_EQ(available_instruction_sets().back(), "SCALAR");
}

TEST_F(Targets, EachAvailableOneCanBeSelectedAndIsThenActive) {
  for (const std::string& name : available_instruction_sets()) {
    ASSERT_TRUE(select_instruction_set(name));
    EXPECT_EQ(active_instruction_set(), name);
  }
}

TEST_F(Targets, AskingForTheListDoesNotUndoASelectionNorDoesThatShortenTheList) {
  const std::vector<std::string> before = available_instruction_sets();
  ASSERT_TRUE(select_instruction_set("SCALAR"));
  EXPECT_EQ(available_instruction_sets(), before);
  EXPECT_EQ(active_instruction_set(), "SCALAR");
}

TEST_F(Targets, AnUnknownNameIsAnErrorThatListsTheAvailable) {
  const std::string active = active_instruction_set();
  const Status status = select_instruction_set("MMX");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("'MMX'"), std::string::npos) << status.error().message;
  for (const std::string& name : available_instruction_sets()) {
    EXPECT_NE(status.error().message.find(name), std::string::npos) << status.error().message;
  }
  EXPECT_EQ(active_instruction_set(), active);
}

TEST_F(Targets, TheEnvironmentVariableForcesOne) {
  for (const std::string& name : available_instruction_sets()) {
    setenv("LOOKBACK_ISA", name.c_str(), 1);
    ASSERT_TRUE(select_instruction_set_from_environment());
    EXPECT_EQ(active_instruction_set(), name);
  }
}

TEST_F(Targets, AnUnsetOrEmptyEnvironmentVariableChangesNothing) {
  ASSERT_TRUE(select_instruction_set("SCALAR"));
  unsetenv("LOOKBACK_ISA");
  EXPECT_TRUE(select_instruction_set_from_environment());
  setenv("LOOKBACK_ISA", "", 1);
  EXPECT_TRUE(select_instruction_set_from_environment());
  EXPECT_EQ(active_instruction_set(), "SCALAR");
}

TEST_F(Targets, AWrongEnvironmentVariableIsAnErrorThatNamesIt) {
  setenv("LOOKBACK_ISA", "avx2", 1);  // names are upper case
  const Status status = select_instruction_set_from_environment();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message.rfind("LOOKBACK_ISA: ", 0), 0U) << status.error().message;
}

}  // namespace
}  // namespace lookback::math
