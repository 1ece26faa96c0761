#include "lookback/serve/request_rules.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace lookback::serve {
namespace {

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// RFC 9110, 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view line) {
  return std::ranges::any_of(line, [](char c) { return c != '\t' && is_control(c); });
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t";
  const std::size_t begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

/// The text up to the separator, which is taken off `rest` with it.
std::string_view next_of(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(item);
}

/// The host of "host", "host:port", "[address]" or "[address]:port", without brackets.
std::optional<std::string_view> without_port(std::string_view text) {
  std::string_view host, rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    rest = text.substr(host.size());
  }
  const std::string_view digits = rest.substr(rest.empty() ? 0 : 1);
  const bool is_port =
      rest.empty() || (rest[0] == ':' && digits.size() <= 5 &&
                       digits.find_first_not_of("0123456789") == std::string_view::npos);
  if (host.empty() || !is_port) return std::nullopt;
  return host;
}

/// The bytes of an address in numbers, 4 or 16; empty for everything else.
std::string address_bytes(std::string_view text) {
  std::array<char, sizeof(in6_addr)> bytes{};
  const std::string terminated(text);
  if (::inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (::inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

}  // namespace

bool is_well_formed(std::string_view head) {
  constexpr std::string_view line_end = "\r\n";
  for (bool is_request_line = true;; is_request_line = false) {
    const std::size_t length = head.find(line_end);
    if (length == std::string_view::npos) return false;
    const std::string_view line = head.substr(0, length);
    head.remove_prefix(length + line_end.size());
    if (line.empty()) return !is_request_line && head.empty();
    if (has_control(line)) return false;
    const std::size_t colon = line.find(':');
    const bool has_name = colon != std::string_view::npos && is_token(line.substr(0, colon));
    if (!is_request_line && !has_name) return false;
  }
}

std::optional<std::string> path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (!target.starts_with('/')) return std::nullopt;
  std::string path;
  for (std::size_t i = 0; i < target.size(); ++i) {
    char c = target[i];
    if (c == '%') {
      if (target.size() - i < 3) return std::nullopt;
      const int high = hexadecimal(target[i + 1]);
      const int low = hexadecimal(target[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(c)) return std::nullopt;
    path.push_back(c);
  }
  return path;
}

bool names_this_server(std::string_view host_header, const Listener& listener) {
  const std::optional<std::string_view> host = without_port(host_header);
  if (!host) return false;
  if (same_name(*host, "localhost") || same_name(*host, listener.host)) return true;
  const std::string address = address_bytes(*host);
  if (address.empty()) return false;
  const bool loopback =
      (address.size() == 4 && address[0] == IN_LOOPBACKNET) || address == address_bytes("::1");
  return loopback || listener.everywhere || address == address_bytes(listener.address);
}

bool accepts(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    std::string_view item = next_of(list, ',');
    if (!same_name(next_of(item, ';'), token)) continue;
    const std::string_view quality = trimmed(item);
    const bool none =
        quality.starts_with("q=0") && quality.find_first_not_of("0.", 3) == std::string_view::npos;
    return !none;
  }
  return false;
}

bool matches(std::string_view if_none_match, std::string_view tag) {
  while (!if_none_match.empty()) {
    std::string_view item = next_of(if_none_match, ',');
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == tag || item == "*") return true;
  }
  return false;
}

}  // namespace lookback::serve
