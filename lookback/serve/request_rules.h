// What the server reads out of a request, all of it from strangers: lines, paths, hosts, lists of tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lookback/serve/listener.h"

namespace lookback::serve {

/// Whether the head of a request, its empty line included, is made of lines as RFC 9112 has them:
/// each ends in "\r\n", no other control character but a tab stands in it, and each header is a name
/// (RFC 9110, 5.6.2) with its colon right after it. Header lines that are folded, or have a space
/// before the colon, are understood in different ways by different programs.
/// The words of the request line are for others to judge.
bool is_well_formed(std::string_view head);

/// The path of a request target ("/files/a%20b?x" -> "/files/a b"). Nothing when the target is no
/// path from the root (an absolute URI, "*"), a percent sign is not followed by two hexadecimal
/// digits, or the path has a control character in it, encoded or not.
std::optional<std::string> path_of(std::string_view target);

/// Whether a Host header names this server: localhost, an address 127.x.x.x or [::1], or the host
/// or address it listens at; where it listens at every address, any address. The port may be
/// another one, for tunnels. A foreign name that an attacker's name server points at this machine
/// (DNS rebinding) is none of these.
bool names_this_server(std::string_view host_header, const Listener& listener);

/// Whether a list such as "gzip, br;q=0" has the token without a quality of 0.
bool accepts(std::string_view list, std::string_view token);

/// Whether an If-None-Match header has the entity tag `tag`, given with its quotes.
bool matches(std::string_view if_none_match, std::string_view tag);

}  // namespace lookback::serve
