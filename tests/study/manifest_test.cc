// manifest.json: files are known by size and checksum, whatever happens between two writes.
#include "lookback/study/manifest.h"

#include <gtest/gtest.h>

#include <fstream>

#include "lookback/base/file.h"
#include "tests/base/temporary_directory.h"
#include "tests/study/small_study.h"

namespace lookback::study {
namespace {

namespace fs = std::filesystem;

class ManifestOfADirectory : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(write_listed(directory_.path(), "a.json", "{\"a\": 1}\n")); }

  void put(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  Manifest manifest() {
    const auto read = read_manifest(directory_.path());
    EXPECT_TRUE(read && *read);
    return read && *read ? **read : Manifest();
  }
  FileState state(const std::string& name) {
    const auto found = state_of_listed(directory_.path(), manifest(), name);
    EXPECT_TRUE(found);
    return found ? *found : FileState::missing;
  }

  test::TemporaryDirectory directory_;
};

TEST_F(ManifestOfADirectory, KnowsAFileBySizeAndChecksum) {
  EXPECT_EQ(state("a.json"), FileState::same);
  const auto object = read_listed_object(directory_.path(), manifest(), "a.json");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object, (nlohmann::json{{"a", 1}}));
}

TEST_F(ManifestOfADirectory, NoticesEveryChangedBit) {
  const std::string whole = spec::text_of(directory_ / "a.json");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      put("a.json", damaged);
      EXPECT_EQ(state("a.json"), FileState::changed) << at << "." << bit;
      EXPECT_FALSE(read_listed(directory_.path(), manifest(), "a.json"));
    }
  }
}

TEST_F(ManifestOfADirectory, NoticesAFileThatWasCutOrRemoved) {
  put("a.json", "{\"a\"");
  EXPECT_EQ(state("a.json"), FileState::changed);
  fs::remove(directory_ / "a.json");
  EXPECT_EQ(state("a.json"), FileState::missing);
  const Status checked = check_listed(directory_.path(), manifest(), "a.json");
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find((directory_ / "a.json").string()), std::string::npos);
}

TEST_F(ManifestOfADirectory, DoesNotCountAFileThatItDoesNotList) {
  put("b.json", "{}");
  EXPECT_FALSE(manifest().lists("b.json"));
  EXPECT_FALSE(read_listed(directory_.path(), manifest(), "b.json"));
  const std::string names[] = {"b.json"};
  ASSERT_TRUE(list_files(directory_.path(), names));
  EXPECT_EQ(state("b.json"), FileState::same);
  ASSERT_TRUE(unlist_files(directory_.path(), names));
  EXPECT_FALSE(manifest().lists("b.json"));
}

TEST_F(ManifestOfADirectory, TakesTheOldContentsAndTheNewWhileAFileIsReplaced) {
  // What a kill leaves between the announcement and the end of write_listed.
  const std::string before = spec::text_of(directory_ / "a.json"), after = "{\"a\": 2}\n";
  ASSERT_TRUE(update_manifest(directory_.path(), [&](Manifest& manifest) {
    manifest.files["a.json"].announced = base::sum_of(after);
  }));
  for (const std::string& text : {before, after}) {
    put("a.json", text);
    EXPECT_EQ(state("a.json"), FileState::same) << text;
  }
  put("a.json", "{\"a\": 3}\n");
  EXPECT_EQ(state("a.json"), FileState::changed);
  ASSERT_TRUE(write_listed(directory_.path(), "a.json", after));
  put("a.json", before);
  EXPECT_EQ(state("a.json"), FileState::changed);
}

TEST_F(ManifestOfADirectory, IsItselfReadOnlyAsItWasWritten) {
  const fs::path file = directory_ / manifest_name;
  const std::string whole = spec::text_of(file);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    put(manifest_name, damaged);
    EXPECT_FALSE(read_manifest(directory_.path())) << at;
    const auto state = find_manifest(directory_.path());
    ASSERT_TRUE(state);
    EXPECT_EQ(state->state, ManifestState::changed) << at;
  }
  put(manifest_name, whole.substr(0, whole.size() / 2));
  EXPECT_FALSE(read_manifest(directory_.path()));
  put(manifest_name, "");
  EXPECT_FALSE(read_manifest(directory_.path()));
  put(manifest_name, whole + "\n");
  EXPECT_FALSE(read_manifest(directory_.path()));
  put(manifest_name, whole);
  EXPECT_TRUE(read_manifest(directory_.path()));
}

TEST_F(ManifestOfADirectory, MayBeMissing) {
  fs::remove(directory_ / manifest_name);
  const auto read = read_manifest(directory_.path());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

}  // namespace
}  // namespace lookback::study
