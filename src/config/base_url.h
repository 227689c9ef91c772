// base_url: where the FlowFuse platform is.

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace flowstore::config {

// The URL as the server uses it: http or https, a host, perhaps a port and a path prefix, no slash
// at the end. The error (invalid) completes a sentence that starts with the URL.
Result<std::string> parse_base_url(std::string_view url);

// A URL without the user and password that it may hold.
std::string without_credentials(std::string_view url);

}  // namespace flowstore::config
