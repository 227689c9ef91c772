// Url: where a request to another service goes.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/dialler.h"

namespace flowstore::http {

struct Url {
  Url() = default;

  Origin origin;
  std::string target;  // path and query, as they go on the wire: "/" at least
};

// "https://host:port/path?query"; https where there is no scheme. A user and a fragment in it are
// not ours to send and left out. Nothing for anything else than http and https.
std::optional<Url> parse_url(std::string_view text);

// Where an answer from `base` leads whose Location is this. Nothing if not to http or https. Dots
// in a path stay, for the service to make sense of.
std::optional<Url> resolve(const Url& base, std::string_view location);

// For a Host header: with the port unless it is the usual one.
std::string host_header(const Origin& origin);

}  // namespace flowstore::http
