// Small questions to other services, whose answers are taken as a whole.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/connector.h"

namespace flowstore::http {

struct Question {
  Question() = default;
  Question(std::string verb, std::string address)
      : method(std::move(verb)), url(std::move(address)) {}

  std::string method = "GET";
  std::string url;
  // Without Host and Accept-Encoding, which are added.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // For everything, from the call to the last byte: a place in the line and redirects, too.
  std::chrono::milliseconds timeout{1000};
  std::chrono::milliseconds connect_timeout{1000};  // of it, for name, TCP and TLS
  std::size_t max_body_bytes = 64 * 1024;           // a longer answer is an error
  bool on_new_connection = false;                   // not on one that was used before
  // Those of a GET: five at most, to http and https only, credentials to the same host only.
  bool follows_redirects = false;
};

struct Answer {
  Answer() = default;

  int status = 0;
  std::string body;
  std::string retry_after;  // the header, empty if not sent
  std::string date;         // the same
};

// An answer of any status is a value; no answer (refused, timed out, TLS) is an Error of kind
// unavailable whose message says why, for the log: it may name hosts and addresses, and names
// nothing of what was sent. `connector` must outlive the task.
Task<Result<Answer>> ask(Connector& connector, Question question);

// The rest of an answer's body; kCutShort if it breaks off or is longer.
Task<Result<std::string>> read_at_most(Reply& reply, std::size_t most);

}  // namespace flowstore::http
