// Archives of arrays, read back with libzip; tests/program reads one with NumPy.
#include "lookback/base/npz.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>

#include "lookback/base/file.h"
#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

/// One entry's bytes; empty when it is not there.
std::string entry(const std::filesystem::path& archive, const char* name) {
  zip_t* const zip = zip_open(archive.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, nullptr);
  if (zip == nullptr) return {};
  std::string bytes;
  zip_stat_t status;
  if (zip_stat(zip, name, 0, &status) == 0) {
    bytes.resize(status.size);
    zip_file_t* const file = zip_fopen(zip, name, 0);
    if (zip_fread(file, bytes.data(), bytes.size()) < 0) bytes.clear();
    zip_fclose(file);
  }
  zip_discard(zip);
  return bytes;
}

class Npz : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.path() / "arrays.npz"; }
  std::string refusal(const std::vector<Array>& arrays) const {
    const Status status = write_npz(file(), arrays);
    if (status) return "accepted";
    return status.error().message;
  }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(Npz, HoldsEachArrayWithItsShapeAndValues) {
  ASSERT_TRUE(write_npz(file(), std::vector<Array>{{"ov/0", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                                   {"scalar", {}, {-0.5F}},
                                                   {"row", {1}, {7}}}));
  const std::string matrix = entry(file(), "ov/0.npy");
  ASSERT_EQ(matrix.size(), 64 * 2 + 6 * sizeof(float));
  EXPECT_EQ(matrix.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(matrix.find("'shape': (2, 3, )"), std::string::npos);
  EXPECT_EQ(matrix[127], '\n');
  float last = 0;
  std::memcpy(&last, matrix.data() + matrix.size() - sizeof(float), sizeof(float));
  EXPECT_EQ(last, 6.0F);
  EXPECT_NE(entry(file(), "scalar.npy").find("'shape': ()"), std::string::npos);
  EXPECT_NE(entry(file(), "row.npy").find("'shape': (1, )"), std::string::npos);
}

TEST_F(Npz, TheSameArraysGiveTheSameBytes) {
  const std::vector<Array> arrays{{"a", {2}, {1, 2}}};
  ASSERT_TRUE(write_npz(file(), arrays));
  const auto first = read_file(file(), 1 << 20);
  ASSERT_TRUE(write_npz(file(), arrays));
  const auto second = read_file(file(), 1 << 20);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST_F(Npz, RefusesWhatIsNoArchiveOfArrays) {
  const std::string start = file().string() + ": ";
  EXPECT_EQ(refusal({}), start + "found no array, allowed: at least one");
  EXPECT_EQ(refusal({{"a", {2}, {1}}}), start + "array 'a': found 1 values, its shape needs 2");
  EXPECT_EQ(refusal({{"a", {1}, {1}}, {"a", {1}, {1}}}),
            start + "array 'a': found twice, allowed: each name once");
  EXPECT_EQ(refusal({{"", {}, {1}}}), start + "an array's name has 0 bytes, allowed: 1 to 1000");
}

}  // namespace
}  // namespace lookback::base
