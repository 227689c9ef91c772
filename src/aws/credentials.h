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
  std::string session_token;  // empty: none
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Whoever knows the credentials in force. Safe to use from any thread.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;

  // Fetched when there are none, or when they are about to expire; one fetch at a time, however
  // many ask. unavailable: there are none at the moment; the message is for the log and holds no
  // secret.
  virtual Task<Result<std::shared_ptr<const Credentials>>> get() = 0;

  // A service has refused these: others are fetched before the next use, where that is possible.
  virtual void refused(const Credentials& credentials) = 0;

  // Where those in force come from, for logs: "configuration", "web identity".
  virtual std::string source() const = 0;
};

// The same for ever.
std::unique_ptr<CredentialsProvider> fixed_credentials(Credentials credentials);

}  // namespace flowstore::aws
