// Credentials: who we are towards AWS and services like it.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/task.h"

namespace flowstore::aws {

struct Credentials {
  Credentials() = default;

  std::string access_key_id;
  Secret secret_access_key;
  std::string session_token;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Whoever knows the credentials in force. Safe to use from any thread.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Task<Result<std::shared_ptr<const Credentials>>> get() = 0;
  virtual void refused(const Credentials& credentials) = 0;
  virtual std::string_view source() const = 0;
};

std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials);

}  // namespace flowstore::aws
