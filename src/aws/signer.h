// Signer: signatures of requests to S3 (AWS Signature Version 4).

#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/credentials.h"
#include "aws/digest.h"

namespace flowstore::aws {

using Headers = std::vector<std::pair<std::string, std::string>>;

// What may stand in a URL without %: A-Z a-z 0-9 - . _ ~, and '/' where it separates.
enum class Slash : bool { encoded, kept };
std::string uri_encoded(std::string_view text, Slash slash);

// A request before it is signed. Everything in it is signed.
struct UnsignedRequest {
  UnsignedRequest() = default;

  std::string method;
  std::string path;  // encoded, as it is sent: S3 does not normalise it
  // Not encoded, in any order; a name without a value has an empty one.
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;           // lower-case names; with host, without x-amz-date
  std::string payload_hash;  // hex, or "UNSIGNED-PAYLOAD"
};

// The query as it is sent and signed: "a=1&b=", sorted.
std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query);

// For one region of S3. Safe to use from any thread.
class Signer {
 public:
  explicit Signer(std::string region) : region_(std::move(region)) {}

  // The headers to send: those of the request and x-amz-date, x-amz-content-sha256,
  // x-amz-security-token, authorization.
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
  Headers sign(const UnsignedRequest& request, const Credentials& credentials,
               std::chrono::system_clock::time_point now) const;

 private:
  // Derived from the secret once a day.
  struct Key {
    std::string of;  // access key id and day
    Sha256 bytes{};
  };

  Sha256 key_for(const Credentials& credentials, const std::string& day) const;

  std::string region_;
  mutable std::mutex mutex_;
  mutable Key key_;  // guarded by mutex_
};

}  // namespace flowstore::aws
