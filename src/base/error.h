// The one error type of the server.
//
// An Error is a value: it travels up through Result<T> and is looked at in exactly two places,
// the retry loops of the drivers and the status table in api/error_response.cpp.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace flowstore {

// What a caller may do about it. Closed set: adding one means adding a row to the status table.
enum class ErrorKind : std::uint8_t {
  invalid,              // the request can never succeed as sent
  not_found,            // the named thing does not exist
  is_directory,         // the name is a folder where a file was asked for
  unauthorized,         // no valid token for this project
  over_quota,           // would exceed the project's quota in `limit()`
  too_large,            // would exceed the server's own limit in `limit()`
  unsupported,          // the route does not read bodies of this media type
  precondition_failed,  // If-Match and its like did not hold
  conflict,             // somebody else changed it; trying again may work
  no_space,             // the store is full
  unavailable,          // a backend is down or slow; trying again may work
  aborted,              // the client went away or broke the protocol; nobody reads the answer
  internal,             // a bug or a broken backend; trying again will not help
};

class [[nodiscard]] Error {
 public:
  // `code` is part of the wire contract ("ENOENT", "over_quota"); `message` is for people and goes
  // to the client: it never holds a server path, a token or another tenant's name.
  Error(ErrorKind kind, std::string code, std::string message)
      : kind_(kind), code_(std::move(code)), message_(std::move(message)) {}

  // The project may hold fewer than `limit` bytes.
  static Error over_quota(std::uint64_t limit) {
    Error error(ErrorKind::over_quota, "over_quota", "Over Quota");
    error.limit_ = limit;
    return error;
  }

  // One file may hold at most `limit` bytes.
  static Error too_large(std::uint64_t limit) {
    Error error(ErrorKind::too_large, "FST_ERR_CTP_BODY_TOO_LARGE", "Request body is too large");
    error.limit_ = limit;
    return error;
  }

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }

  // Bytes; set for over_quota and too_large only.
  std::optional<std::uint64_t> limit() const noexcept { return limit_; }

 private:
  ErrorKind kind_;
  std::string code_;
  std::string message_;
  std::optional<std::uint64_t> limit_;
};

}  // namespace flowstore
