// TokenVerifier: may the bearer of this token work on this project?

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/task.h"

namespace flowstore::auth {

// What a valid token allows. A quota that is absent or 0 is not set: the configuration's applies.
struct Grant {
  Grant() = default;  // declared: an aggregate in an awaited expression breaks g++ 12

  std::optional<std::uint64_t> file_quota;     // bytes
  std::optional<std::uint64_t> context_quota;  // characters of JSON text

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
};

}  // namespace flowstore::auth
