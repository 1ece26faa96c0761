#include "lookback/language/bzip2.h"

#include <bzlib.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace lookback::language {
namespace {

constexpr std::size_t most_at_once = std::size_t{1} << 20;

/// Decompresses one stream after another.
class Decompression {
 public:
  Decompression(std::string& input, std::size_t max_bytes)
      : input_(input), max_bytes_(max_bytes), buffer_(most_at_once) {}

  /// Appends the stream that begins where the one before ended. Returns the problem, or nothing.
  std::string_view append_stream(std::string& output) {
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) return "too little memory to decompress it";
    const std::string_view problem = run(stream, output);
    BZ2_bzDecompressEnd(&stream);
    return problem;
  }

  bool at_end() const { return at_ == input_.size(); }

 private:
  std::string_view run(bz_stream& stream, std::string& output) {
    for (int state = BZ_OK; state != BZ_STREAM_END;) {
      const auto given = static_cast<unsigned>(std::min(input_.size() - at_, most_at_once));
      stream.next_in = input_.data() + at_;
      stream.avail_in = given;
      stream.next_out = buffer_.data();
      stream.avail_out = static_cast<unsigned>(buffer_.size());
      state = BZ2_bzDecompress(&stream);
      if (state != BZ_OK && state != BZ_STREAM_END) return "an incomplete bzip2 file, or none";
      const std::size_t made = buffer_.size() - stream.avail_out;
      const std::size_t used = given - stream.avail_in;
      if (state == BZ_OK && made == 0 && used == 0) return "a truncated bzip2 file";
      if (made > max_bytes_ - output.size()) return "too much data in it";
      output.append(buffer_.data(), made);
      at_ += used;
    }
    return {};
  }

  std::string& input_;  // bzip2 wants it mutable, and does not write to it
  std::size_t max_bytes_;
  std::size_t at_ = 0;
  std::vector<char> buffer_;
};

}  // namespace

Result<std::string> decompress_bzip2(std::string bytes, std::size_t max_bytes) {
  Decompression decompression(bytes, max_bytes);
  std::string output;
  do {
    const std::string_view problem = decompression.append_stream(output);
    if (!problem.empty()) {
      return Error{fmt::format("found {}, allowed: a bzip2 file of at most {} bytes unpacked",
                               problem, max_bytes)};
    }
  } while (!decompression.at_end());
  return output;
}

}  // namespace lookback::language
