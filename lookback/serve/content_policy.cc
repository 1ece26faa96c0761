#include "lookback/serve/content_policy.h"

#include <openssl/evp.h>

#include <array>

namespace lookback::serve {
namespace {

/// "'sha256-...'" with the digest in base64 (https://www.w3.org/TR/CSP3/#grammardef-hash-source).
std::string hash_source(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return {};
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE * 2> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return "'sha256-" + std::string(encoded.begin(), encoded.begin() + length) + "'";
}

}  // namespace

std::string content_policy(std::string_view page) {
  constexpr std::string_view open = "<script", close = "</script";
  std::string scripts;
  for (std::size_t at = page.find(open); at != std::string_view::npos; at = page.find(open, at)) {
    const std::size_t begin = page.find('>', at);
    if (begin == std::string_view::npos) break;
    const std::size_t end = page.find(close, begin);
    if (end == std::string_view::npos) break;
    const std::string_view attributes = page.substr(at, begin - at);
    // A block of data is no script.
    if (attributes.find("application/json") == std::string_view::npos) {
      scripts += hash_source(page.substr(begin + 1, end - begin - 1)) + ' ';
    }
    at = end + close.size();
  }
  return "default-src 'none'; script-src " + scripts +
         "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'; "
         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace lookback::serve
