#include "lookback/base/safetensors.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "lookback/base/file.h"
#include "tests/base/temporary_directory.h"

namespace lookback::base {
namespace {

using test::TemporaryDirectory;

/// A file with this header and this data, whatever they say.
std::string raw_file(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 255);
  return bytes + header + data;
}

Result<SafetensorsFile> read_bytes(const std::string& bytes) {
  const TemporaryDirectory directory;
  // Thousands of these are made: not by write_file_atomically, which waits for the disk.
  std::ofstream(directory / "f.safetensors", std::ios::binary) << bytes;
  return SafetensorsFile::read(directory / "f.safetensors");
}

std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

void expect_refused_file(const std::string& bytes, const std::string& reason) {
  const auto file = read_bytes(bytes);
  ASSERT_FALSE(file) << "was read, expected: " << reason;
  const std::string& message = file.error().message;
  EXPECT_NE(message.find("f.safetensors: "), std::string::npos) << message;
  EXPECT_NE(message.find(reason), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_LT(message.size(), 500u) << message;
}

const std::vector<float> matrix{1.0f,  -2.5f, 1e-42f,
                                3e38f, -0.0f, std::numeric_limits<float>::infinity()};
const std::vector<float> scalar{42.0f};

std::string example() {
  const TemporaryDirectory directory;
  const std::vector<Tensor> tensors{
      {"W_Q", {2, 3}, matrix}, {"scalar", {}, scalar}, {"empty", {0, 4}, {}}};
  EXPECT_TRUE(write_safetensors(directory / "f", tensors, {{"format", "lookback"}, {"a", "b\"c"}}));
  return *read_file(directory / "f", 1 << 20);
}

TEST(Safetensors, WhatWasWrittenIsRead) {
  const auto file = read_bytes(example());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->names(), (std::vector<std::string>{"W_Q", "scalar", "empty"}));
  const auto found = file->find("W_Q");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->name, "W_Q");
  EXPECT_EQ(found->shape, (std::vector<std::size_t>{2, 3}));
  ASSERT_EQ(found->values.size(), matrix.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(found->values[i]),
              std::bit_cast<std::uint32_t>(matrix[i]));
  }
  EXPECT_EQ(file->find("scalar")->values[0], 42.0f);
  EXPECT_EQ(file->find("scalar")->shape.size(), 0u);
  EXPECT_EQ(file->find("empty")->values.size(), 0u);
  EXPECT_EQ(file->find("empty")->shape, (std::vector<std::size_t>{0, 4}));
}

TEST(Safetensors, MetadataIsKeptAndAChecksumAdded) {
  const auto file = read_bytes(example());
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->has_checksum());
  EXPECT_EQ(file->metadata().size(), 3u);
  EXPECT_EQ(file->metadata().at("format"), "lookback");
  EXPECT_EQ(file->metadata().at("a"), "b\"c");
  EXPECT_EQ(file->metadata().at("checksum").size(), 16u);
}

TEST(Safetensors, TheSameInputGivesTheSameBytes) { EXPECT_EQ(example(), example()); }

TEST(Safetensors, DataStartsAtAMultipleOf64) {
  const TemporaryDirectory directory;
  for (std::size_t extra = 0; extra < 70; extra += 7) {
    const std::vector<Tensor> tensors{{std::string(extra + 1, 'n'), {6}, matrix}};
    ASSERT_TRUE(write_safetensors(directory / "f", tensors, {}));
    const std::string bytes = *read_file(directory / "f", 1 << 20);
    EXPECT_EQ((bytes.size() - 6 * sizeof(float)) % 64, 0u);
    EXPECT_TRUE(SafetensorsFile::read(directory / "f"));
  }
}

TEST(Safetensors, ViewsStayValidWhenTheFileMoves) {
  auto file = read_bytes(example());
  ASSERT_TRUE(file);
  const auto values = file->find("W_Q")->values;
  const SafetensorsFile moved = std::move(*file);
  EXPECT_EQ(moved.find("W_Q")->values.data(), values.data());
  EXPECT_EQ(values[1], -2.5f);
}

TEST(Safetensors, AFileWithoutTensorsIsAFile) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(write_safetensors(directory / "f", {}, {}));
  const auto file = SafetensorsFile::read(directory / "f");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->names().empty());
  EXPECT_TRUE(read_bytes(raw_file("{}")));
}

TEST(Safetensors, EveryDamagedByteIsNoticed) {
  const std::string whole = example();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    const auto file = read_bytes(damaged);
    // A damaged word "checksum" or "__metadata__" makes a file without one, which is the reader's
    // business: see has_checksum().
    EXPECT_TRUE(!file || !file->has_checksum()) << "byte " << i;
  }
}

TEST(Safetensors, EveryTruncationIsNoticed) {
  const std::string whole = example();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_bytes(whole.substr(0, size))) << size << " of " << whole.size() << " bytes";
  }
  EXPECT_FALSE(read_bytes(whole + '\0'));
}

TEST(Safetensors, ChangedDataIsAChecksumMismatch) {
  std::string bytes = example();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  expect_refused_file(bytes, "damaged: its checksum is not");
}

TEST(Safetensors, AChecksumOfAnotherFormIsAMismatch) {
  expect_refused_file(raw_file("{\"__metadata__\":{\"checksum\":\"123\"}}"),
                      "damaged: its checksum is not");
  expect_refused_file(raw_file("{\"__metadata__\":{\"checksum\" : \"0123456789abcdef\"}}"),
                      "damaged: its checksum is not");
}

TEST(Safetensors, AForeignFileNeedsNoChecksum) {
  const auto file = read_bytes(
      raw_file("{" + tensor("x", "F32", "[1]", "[0,4]") + "}", std::string("\0\0\x80\x3f", 4)));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_FALSE(file->has_checksum());
  EXPECT_EQ(file->find("x")->values[0], 1.0f);
}

TEST(Safetensors, HalfPrecisionIsWidened) {
  // 1, -2, the largest half, the smallest normal, the smallest subnormal, -0, infinity
  const std::string data("\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00\x00\x80\x00\x7c", 14);
  const auto file = read_bytes(raw_file("{" + tensor("x", "F16", "[7]", "[0,14]") + "}", data));
  ASSERT_TRUE(file) << file.error().message;
  const auto values = file->find("x")->values;
  const std::vector<float> expected{
      1.0f, -2.0f, 65504.0f, 0x1p-14f, 0x1p-24f, -0.0f, std::numeric_limits<float>::infinity()};
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]), std::bit_cast<std::uint32_t>(expected[i]));
  }
}

TEST(Safetensors, Bfloat16IsWidened) {
  const std::string data("\x80\x3f\x20\xc0", 4);
  const auto file = read_bytes(raw_file("{" + tensor("x", "BF16", "[2]", "[0,4]") + "}", data));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->find("x")->values[0], 1.0f);
  EXPECT_EQ(file->find("x")->values[1], -2.5f);
}

TEST(Safetensors, FloatsBehindAnOddByteAreAligned) {
  const std::string header =
      "{" + tensor("mask", "BOOL", "[1]", "[0,1]") + "," + tensor("x", "F32", "[1]", "[1,5]") + "}";
  const auto file = read_bytes(raw_file(header, std::string("\1\0\0\x80\x3f", 5)));
  ASSERT_TRUE(file) << file.error().message;
  const auto values = file->find("x")->values;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(values.data()) % alignof(float), 0u);
  EXPECT_EQ(values[0], 1.0f);
}

TEST(Safetensors, AnotherDtypeIsRefusedByName) {
  const auto file =
      read_bytes(raw_file("{" + tensor("ids", "I64", "[1]", "[0,8]") + "}", std::string(8, '\0')));
  ASSERT_TRUE(file) << file.error().message;
  const auto found = file->find("ids");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("tensor 'ids': found dtype I64, allowed: F32, F16, BF16"),
            std::string::npos)
      << found.error().message;
}

TEST(Safetensors, AMissingTensorIsNamedWithTheNearest) {
  const auto file = read_bytes(example());
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->contains("W_Q"));
  EXPECT_FALSE(file->contains("W_K"));
  const auto found = file->find("W_K");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("tensor 'W_K' is missing; nearest: 'W_Q'"),
            std::string::npos)
      << found.error().message;
}

TEST(Safetensors, TensorsComeInTheOrderOfTheData) {
  const std::string header =
      "{" + tensor("b", "F32", "[1]", "[4,8]") + "," + tensor("a", "F32", "[1]", "[0,4]") + "}";
  const auto file = read_bytes(raw_file(header, std::string(8, '\0')));
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->names(), (std::vector<std::string>{"a", "b"}));
}

TEST(SafetensorsHostile, Sizes) {
  expect_refused_file("", "allowed: 8 or more");
  expect_refused_file("1234567", "allowed: 8 or more");
  expect_refused_file(std::string(8, '\xff'), "header length");
  expect_refused_file(raw_file("{}").substr(0, 9), "header length");
  // 100,000,001 bytes are claimed: above the format's limit whatever the file holds.
  expect_refused_file(std::string("\x01\xe1\xf5\x05\0\0\0\0", 8) + "{}", "header length");
}

TEST(SafetensorsHostile, Json) {
  expect_refused_file(raw_file(""), "not JSON");
  expect_refused_file(raw_file("{"), "not JSON");
  expect_refused_file(raw_file("{}{}"), "not JSON");
  expect_refused_file(raw_file("{\"\xff\":1}"), "not JSON");
  expect_refused_file(raw_file(std::string("{\0}", 3)), "not JSON");
  expect_refused_file(raw_file("[]"), "found an array");
  expect_refused_file(raw_file("1"), "found a number");
  expect_refused_file(raw_file("{\"x\":1}"), "found a number");
  expect_refused_file(raw_file("{\"x\":null}"), "found null");
  expect_refused_file(raw_file("{\"__metadata__\":{\"a\":1}}"), "found a number");
  expect_refused_file(raw_file("{\"__metadata__\":{\"a\":{}}}"), "found an object");
  expect_refused_file(raw_file("{\"__metadata__\":[]}"), "found an array");
  expect_refused_file(raw_file("{\"x\":{\"shape\":" + std::string(1000000, '[')), "found an array");
}

TEST(SafetensorsHostile, Descriptions) {
  expect_refused_file(raw_file("{\"x\":{}}"), "allowed: dtype, shape");
  expect_refused_file(raw_file("{\"x\":{\"dtype\":\"F32\",\"shape\":[]}}"),
                      "allowed: dtype, shape");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[0]", "[0]") + "}"),
                      "allowed: dtype, shape");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[0]", "[0,0,0]") + "}"), "more than 2");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[-1]", "[0,0]") + "}"), "negative");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[0.5]", "[0,0]") + "}"), "fraction");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[99999999999999999999]", "[0,0]") + "}"),
                      "fraction");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[[]]", "[0,0]") + "}"), "an array");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "\"a\"", "[0,0]") + "}"), "a text");
  expect_refused_file(raw_file("{" + tensor("x", "F31", "[0]", "[0,0]") + "}"), "dtype 'F31'");
  expect_refused_file(raw_file("{\"x\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}"), "'dtype' twice");
  expect_refused_file(raw_file("{\"x\":{\"strides\":[1]}}"), "key 'strides'");
  expect_refused_file(
      raw_file("{" + tensor("x", "F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]") + "}"),
      "16 dimensions");
}

TEST(SafetensorsHostile, Offsets) {
  const std::string data(8, '\0');
  const auto pair = [](const std::string& first, const std::string& second) {
    return "{" + tensor("x", "F32", "[1]", first) + "," + tensor("y", "F32", "[1]", second) + "}";
  };
  EXPECT_TRUE(read_bytes(raw_file(pair("[0,4]", "[4,8]"), data)));
  expect_refused_file(raw_file(pair("[0,4]", "[8,12]"), data), "allowed within 0 to 8");
  expect_refused_file(raw_file(pair("[0,4]", "[8,4]"), data), "found offsets 8 to 4");
  expect_refused_file(raw_file(pair("[0,4]", "[0,4]"), data), "overlap");
  expect_refused_file(raw_file(pair("[0,4]", "[2,6]"), data), "overlap");
  expect_refused_file(raw_file(pair("[0,4]", "[8,12]"), data + data), "hole");
  expect_refused_file(raw_file(pair("[0,4]", "[4,8]"), data + data), "16 bytes of data");
  expect_refused_file(raw_file(pair("[0,4]", "[4,18446744073709551615]"), data), "allowed within");
}

TEST(SafetensorsHostile, Shapes) {
  const std::string data(8, '\0');
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[3]", "[0,8]") + "}", data), "its shape");
  expect_refused_file(raw_file("{" + tensor("x", "F64", "[2]", "[0,8]") + "}", data), "its shape");
  // 2^62 * 4 bytes is 2^64: 0 if the overflow went unseen.
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[4611686018427387904]", "[0,0]") + "}"),
                      "its shape");
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[4294967296,4294967296]", "[0,0]") + "}"),
                      "its shape");
  // 2^63 + 2 elements, times 4 bytes: 8 modulo 2^64.
  expect_refused_file(
      raw_file("{" + tensor("x", "F32", "[9223372036854775810]", "[0,8]") + "}", data),
      "its shape");
}

TEST(SafetensorsHostile, Names) {
  const std::string data(8, '\0');
  expect_refused_file(raw_file("{" + tensor("x", "F32", "[1]", "[0,4]") + "," +
                                   tensor("x", "F32", "[1]", "[4,8]") + "}",
                               data),
                      "tensor 'x': found twice");
  expect_refused_file(raw_file("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"), "'a': found twice");
  expect_refused_file(raw_file("{\"__metadata__\":{},\"__metadata__\":{}}"), "found twice");
  // A long name with line breaks still gives one short line.
  expect_refused_file(raw_file("{\"" + std::string(100000, 'n') + "\\n\":{}}"), "nnn...");
}

TEST(SafetensorsWrite, RefusesWhatItCannotKeep) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::vector<Tensor>& tensors,
                           const std::map<std::string, std::string>& metadata,
                           const std::string& reason) {
    const Status status = write_safetensors(directory / "f", tensors, metadata);
    ASSERT_FALSE(status) << reason;
    EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
  };
  refused({{"x", {6}, matrix}, {"x", {6}, matrix}}, {}, "tensor 'x': found twice");
  refused({{"x", {5}, matrix}}, {}, "6 values");
  refused({{"x", {}, matrix}}, {}, "6 values");
  refused({{"x", {std::size_t{1} << 63, 2}, {}}}, {}, "0 values");
  refused({{"x", std::vector<std::size_t>(17, 1), scalar}}, {}, "17 dimensions");
  refused({{"__metadata__", {6}, matrix}}, {}, "reserved");
  refused({{"\xff", {6}, matrix}}, {}, "not UTF-8");
  refused({}, {{"a", "\xff"}}, "not UTF-8");
  refused({}, {{"checksum", "1"}}, "reserved");
  EXPECT_FALSE(std::filesystem::exists(directory / "f"));
}

TEST(SafetensorsWrite, WritesAsManyDimensionsAsAreRead) {
  const TemporaryDirectory directory;
  const std::vector<std::size_t> shape(16, 1);
  ASSERT_TRUE(write_safetensors(directory / "f", std::vector<Tensor>{{"x", shape, scalar}}, {}));
  const auto file = SafetensorsFile::read(directory / "f");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->find("x")->shape, shape);
}

TEST(SafetensorsWrite, MetadataMayLookLikeAChecksum) {
  const TemporaryDirectory directory;
  const std::string trap = "\"checksum\":\"0123456789abcdef\"";
  ASSERT_TRUE(write_safetensors(directory / "f", {}, {{"a", trap}, {trap, "b"}}));
  const auto file = SafetensorsFile::read(directory / "f");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->metadata().at("a"), trap);
}

TEST(SafetensorsWrite, NamesTheFileThatCannotBeWritten) {
  const TemporaryDirectory directory;
  const Status status = write_safetensors(directory / "none/f", {}, {});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace lookback::base
