#include "lookback/report/matrix_encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/report/unpacked_text.h"

namespace lookback::report {
namespace {

/// The values as the page reads them.
std::vector<double> decoded(const EncodedMatrix& matrix, std::size_t side) {
  std::vector<double> values;
  for (const std::uint8_t byte : test::unpacked(matrix.text, side * side)) {
    const double root = (byte - 128) / 127.0;
    values.push_back(std::copysign(root * root, root) * matrix.scale);
  }
  return values;
}

TEST(EncodeMatrix, KeepsSignAndSizeOfEveryEntryToHalfAStepOfItsRoot) {
  const std::vector<float> values = {8.0F, -8.0F, 0.0F,  -0.0F,  1.0F,  -2.0F, 0.01F, -0.001F,
                                     3.5F, 7.9F,  -7.9F, 0.125F, -0.5F, 4.0F,  6.0F,  -1e-30F};
  const Result<EncodedMatrix> matrix = encode_matrix(values, 4);
  ASSERT_TRUE(matrix) << matrix.error().message;
  EXPECT_EQ(matrix->scale, 8.0);
  const std::vector<double> read = decoded(*matrix, 4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double root = std::copysign(std::sqrt(std::abs(values[i]) / 8.0), values[i]);
    const double found = std::copysign(std::sqrt(std::abs(read[i]) / 8.0), read[i]);
    // Half a step of the byte, and the rounding of the roots.
    const double tolerance = 0.5 / 127.0 + 4 * std::numeric_limits<double>::epsilon();
    EXPECT_NEAR(found, root, tolerance) << values[i];
  }
}

TEST(EncodeMatrix, OfZerosHasNoScale) {
  const Result<EncodedMatrix> matrix = encode_matrix(std::vector<float>(4, 0.0F), 2);
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->scale, 0.0);
  EXPECT_EQ(test::unpacked(matrix->text, 4), (std::vector<std::uint8_t>(4, 128)));
}

TEST(EncodeMatrix, TakesWhatIsNotFiniteAsZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Result<EncodedMatrix> matrix =
      encode_matrix(std::vector<float>{infinity, nan, -infinity, -2.0F}, 2);
  ASSERT_TRUE(matrix);
  EXPECT_EQ(matrix->scale, 2.0);
  EXPECT_EQ(test::unpacked(matrix->text, 4), (std::vector<std::uint8_t>{128, 128, 128, 1}));
}

TEST(EncodeMatrix, RefusesWhatIsNotSquare) {
  const Result<EncodedMatrix> matrix = encode_matrix(std::vector<float>(6, 0.0F), 2);
  ASSERT_FALSE(matrix);
  EXPECT_EQ(matrix.error().message, "matrix: found 6 values, expected 2 x 2");
  EXPECT_FALSE(encode_matrix({}, 0));
  // 2^32 squared is 0 in 64 bits, the size of an empty matrix.
  EXPECT_FALSE(encode_matrix({}, std::size_t{1} << 32U));
}

}  // namespace
}  // namespace lookback::report
