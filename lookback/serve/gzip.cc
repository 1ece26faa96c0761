#include "lookback/serve/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>

namespace lookback::serve {

std::optional<std::string> gzip(std::string_view bytes) {
  constexpr int gzip_window = 15 + 16;  // zlib's sign for the gzip format
  constexpr int memory_level = 8;       // zlib's default
  if (bytes.size() > std::numeric_limits<uInt>::max()) return std::nullopt;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return std::nullopt;
  }
  // As large as it may become: what does not fit is not worth it.
  std::string packed(bytes.size() - bytes.size() / 10, '\0');
  // zlib only reads there.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool fits = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(std::min<std::size_t>(stream.total_out, packed.size()));
  deflateEnd(&stream);
  if (!fits) return std::nullopt;
  return packed;
}

}  // namespace lookback::serve
