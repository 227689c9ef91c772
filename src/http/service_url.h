// ServiceUrl: where a service of others is, as an operator writes it.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/dialler.h"

namespace flowstore::http {

struct ServiceUrl {
  ServiceUrl() = default;

  Origin origin;
  std::string host;  // for the Host header: with the port unless it is the usual one
  std::string path;  // with its query; without a slash at its end
};

// "https://host:port/path"; https where there is no scheme. Nothing for anything else, a user or a
// fragment in it included.
std::optional<ServiceUrl> parse_service_url(std::string_view text);

// For a Host header.
std::string host_header(const Origin& origin);

}  // namespace flowstore::http
