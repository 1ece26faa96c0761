// Archives of arrays, read back with libzip; tests/program reads one with NumPy.
#include "lookback/base/npz.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <limits>

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

/// An archive with one entry of any bytes, as a stranger may have made it.
void write_entry(const std::filesystem::path& archive, const std::string& name,
                 const std::string& bytes) {
  std::filesystem::remove(archive);
  zip_t* const zip = zip_open(archive.c_str(), ZIP_CREATE, nullptr);
  ASSERT_NE(zip, nullptr);
  zip_source_t* const source = zip_source_buffer(zip, bytes.data(), bytes.size(), 0);
  ASSERT_GE(zip_file_add(zip, name.c_str(), source, 0), 0);
  ASSERT_EQ(zip_close(zip), 0);
}

/// A .npy file of version 1.0 with that header and so many bytes of values.
std::string npy(const std::string& header, std::size_t bytes) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() % 256);
  text += static_cast<char>(header.size() / 256);
  return text + header + std::string(bytes, '\0');
}

class NpzRead : public Npz {
 protected:
  /// The error of reading "a", without its beginning, which must name file and array.
  std::string error(std::size_t max_values = 100) const {
    const Result<NpzFile> opened = NpzFile::open(file());
    if (!opened) return opened.error().message;
    const Result<Array> array = opened->read("a", max_values);
    if (array) return "read";
    const std::string start = file().string() + ": array 'a': ";
    EXPECT_TRUE(array.error().message.starts_with(start)) << array.error().message;
    return array.error().message.substr(std::min(start.size(), array.error().message.size()));
  }
  std::string error_of(const std::string& entry_bytes) const {
    write_entry(file(), "a.npy", entry_bytes);
    return error();
  }
  std::string error_of_header(const std::string& header) const { return error_of(npy(header, 8)); }
};

TEST_F(NpzRead, GivesBackWhatWasWritten) {
  const float huge = std::numeric_limits<float>::max();
  const std::vector<Array> arrays{{"ov/0", {2, 3}, {1, -2, 3, huge, 5, 6}},
                                  {"scalar", {}, {-0.5F}},
                                  {"none", {0, 4}, {}},
                                  {"deep", {1, 1, 2, 1}, {7, 8}}};
  ASSERT_TRUE(write_npz(file(), arrays));
  const Result<NpzFile> opened = NpzFile::open(file());
  ASSERT_TRUE(opened) << opened.error().message;
  for (const Array& written : arrays) {
    EXPECT_TRUE(opened->has(written.name));
    const Result<Array> read = opened->read(written.name, 6);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->name, written.name);
    EXPECT_EQ(read->shape, written.shape);
    EXPECT_EQ(read->values, written.values);
  }
  EXPECT_FALSE(opened->has("ov"));
  EXPECT_FALSE(opened->has("ov/0.npy"));
}

TEST_F(NpzRead, ReadsTheOtherFormsThatNumPyWrites) {
  const std::string tight = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   \n";
  EXPECT_EQ(error_of_header(tight), "read");
  EXPECT_EQ(error_of_header("{'shape':(1,2),'fortran_order':False,'descr':'<f4'}"), "read");
  std::string version2 = npy(tight, 8);
  version2[6] = 2;
  version2.insert(10, 2, '\0');
  EXPECT_EQ(error_of(version2), "read");
}

TEST_F(NpzRead, RefusesAnotherTypeOrOrder) {
  EXPECT_EQ(error_of_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}"),
            "found type '<f8' in C order, allowed: '<f4' in C order");
  EXPECT_EQ(error_of_header("{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}"),
            "found type '<f4' in Fortran order, allowed: '<f4' in C order");
}

TEST_F(NpzRead, RefusesAShapeThatDoesNotFitItsBytes) {
  const auto shaped = [](const std::string& shape) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}";
  };
  EXPECT_EQ(error_of_header(shaped("(3,)")), "found 8 bytes of values, its shape needs 12");
  EXPECT_EQ(error_of_header(shaped("()")), "found 8 bytes of values, its shape needs 4");
  EXPECT_EQ(error_of_header(shaped("(101,)")), "its shape needs more than 100 values");
  // 2^32 squared is 0 in 64 bits, the size of an empty array.
  EXPECT_EQ(error_of_header(shaped("(4294967296, 4294967296)")),
            "its shape needs more than 100 values");
  for (const char* bad :
       {"(-2,)", "(2", "2", "(2 2)", "(99999999999999999999,)", "(1,1,1,1,1,1,1,1,2)"}) {
    EXPECT_EQ(error_of_header(shaped(bad)), "its NPY header is malformed") << bad;
  }
}

TEST_F(NpzRead, RefusesWhatIsNoHeader) {
  for (const char* bad :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'descr': '<f4', 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"}) {
    EXPECT_EQ(error_of_header(bad), "its NPY header is malformed") << bad;
  }
  for (const std::string& bad : {std::string("\x93NUMPY\x03\x00\x00\x00    ", 14), std::string(),
                                 std::string("\x93NUMPY\x01\x00\xff\xff{}  ", 14)}) {
    EXPECT_EQ(error_of(bad), "found no NPY header of version 1.0 or 2.0");
  }
}

TEST_F(NpzRead, RefusesMoreThanWasAskedForBeforeItIsRead) {
  write_entry(file(), "a.npy", std::string(1 << 20, '\0'));  // deflated to a thousandth
  EXPECT_EQ(error(), "found 1048576 bytes, allowed at most 65948");
}

TEST_F(NpzRead, NamesWhatIsNoArchiveAndWhatIsDamaged) {
  EXPECT_TRUE(error().starts_with(file().string() + ": cannot be read as an .npz file: "));
  std::ofstream(file()) << "no archive at all";
  EXPECT_TRUE(error().starts_with(file().string() + ": cannot be read as an .npz file: "));
  ASSERT_TRUE(write_npz(file(), std::vector<Array>{{"b", {}, {1}}}));
  EXPECT_EQ(error(), "found none of that name");
  ASSERT_TRUE(write_npz(file(), std::vector<Array>{{"a", {1}, {1}}}));
  Result<std::string> bytes = read_file(file(), 1 << 20);
  ASSERT_TRUE(bytes);
  const std::size_t at = bytes->find(std::bit_cast<std::array<char, 4>>(1.0F).data(), 0, 4);
  ASSERT_NE(at, std::string::npos);
  (*bytes)[at] = 9;
  ASSERT_TRUE(write_file_atomically(file(), *bytes));
  EXPECT_NE(error(), "read");
}

}  // namespace
}  // namespace lookback::base
