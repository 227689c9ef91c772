// TokenVerifier: may the bearer of this token work on this project?

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace flowstore::auth {

// What a valid token allows. A quota that is absent or 0 is not set: the configuration's applies.
struct Grant {
  Grant() = default;  // declared: an aggregate in an awaited expression breaks g++ 12

  // Whether the token works under this team. The platform's tokens name none: they work under any,
  // as with the old server.
  bool allows_team(std::string_view name) const noexcept { return !team || *team == name; }

  std::optional<std::uint64_t> file_quota;     // bytes
  std::optional<std::uint64_t> context_quota;  // characters of JSON text
  std::optional<std::string> team;             // the only one it works under, where it is bound

  bool operator==(const Grant&) const = default;
};

// Safe to use from any thread.
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;

  // Both views must outlive the task. `project` is empty for requests that no route takes; it may
  // hold any bytes. Errors: unauthorized (the token is not good for the project), unavailable
  // (nobody could be asked, code "auth_unavailable"). The two are never mixed up.
  virtual Task<Result<Grant>> verify(std::string_view project, std::string_view token) = 0;

  // The same answer, if it can be given without asking anybody; nothing, and nothing has happened,
  // if not.
  virtual std::optional<Result<Grant>> verify_now(std::string_view /*project*/,
                                                  std::string_view /*token*/) {
    return std::nullopt;
  }
};

// The two errors of verify(). Neither says anything about the token.
inline Error token_refused() {
  return Error(ErrorKind::unauthorized, "unauthorized", "unauthorized");
}
inline Error token_unchecked() {
  return Error(ErrorKind::unavailable, "auth_unavailable",
               "The token cannot be checked because the FlowFuse platform gives no answer. "
               "Try again in a few seconds.");
}

}  // namespace flowstore::auth
