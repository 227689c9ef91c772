// What an answer of the FlowFuse platform to a token check means.

#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "auth/token_verifier.h"

namespace flowstore::auth {

enum class Meaning : std::uint8_t {
  granted,    // the token is good
  refused,    // the token is not good
  try_again,  // says nothing about the token and may pass
  broken,     // says nothing about the token and will not pass
};

struct PlatformAnswer {
  PlatformAnswer() = default;

  Meaning meaning = Meaning::broken;
  Grant grant;  // where granted
};

// Granted is a 2xx with a JSON object, refused any other 2xx (a login page, say) and 401, 403 and
// 404. Any other status is somebody's trouble, a proxy's or the platform's, and must take nobody's
// access away.
PlatformAnswer read_platform_answer(int status, std::string_view body);

// The value of Retry-After where it counts seconds. A date, which is exact to a second only, is of
// no use for the short time that a check may take.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view header);

}  // namespace flowstore::auth
