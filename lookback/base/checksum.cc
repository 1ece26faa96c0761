#include "lookback/base/checksum.h"

#include <xxhash.h>

#include <memory>

namespace lookback::base {

namespace {

/// A checksum that grows with each part.
class Running {
 public:
  Running() : state_(XXH3_createState()) { XXH3_64bits_reset(state_.get()); }
  void add(Bytes part) {
    if (!part.empty()) XXH3_64bits_update(state_.get(), part.data(), part.size());
  }
  std::uint64_t value() const { return XXH3_64bits_digest(state_.get()); }

 private:
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, FreeState> state_;
};

std::string hexadecimal(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15];
  }
  return text;
}

}  // namespace

std::uint64_t checksum(std::span<const Bytes> parts) {
  Running running;
  for (const Bytes part : parts) running.add(part);
  return running.value();
}

std::string checksum_text(std::span<const Bytes> parts) { return hexadecimal(checksum(parts)); }

std::string checksum_text(std::initializer_list<Bytes> parts) {
  return checksum_text(std::span<const Bytes>(parts.begin(), parts.size()));
}

FileSum sum_of(std::string_view text) { return {text.size(), checksum_text({bytes_of(text)})}; }

Result<FileSum> sum_of_file(const std::filesystem::path& path) {
  FileSum sum;
  Running running;
  Status read = read_in_pieces(path, [&](Bytes piece) {
    sum.bytes += piece.size();
    running.add(piece);
  });
  if (!read) return read.error();
  sum.checksum = hexadecimal(running.value());
  return sum;
}

}  // namespace lookback::base
