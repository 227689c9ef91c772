// Answer: what the store said to one request.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "files/preconditions.h"
#include "http/connector.h"

namespace flowstore::files::s3 {

// Of any status. The body of a good answer is still to be pulled; that of an error has been read.
struct Answer {
  Answer() = default;

  bool is_good() const noexcept { return status >= 200 && status < 300; }
  // There is no such object. A missing bucket is another matter, and a HEAD has no code.
  bool is_missing() const noexcept {
    return status == 404 && (code.empty() || code == "NoSuchKey" || code == "NotFound");
  }
  // A condition did not hold, or somebody else was changing the object.
  bool is_passed() const noexcept {
    return status == 412 || (status == 409 && code != "BucketAlreadyExists") ||
           (status == 404 && code == "NoSuchKey");
  }
  std::string_view header(std::string_view name) const { return reply->header(name); }

  int status = 0;
  std::string code;     // "NoSuchKey"; of errors only, empty if the store gave none
  std::string message;  // the store's own words
  std::unique_ptr<http::Reply> reply;
};

// What is known of an object, from the headers of a good answer.
FileStat stat_of(const Answer& answer);

// The only place that makes an Error of what a store refused. What is for the operator to mend is
// told with the store's words: they name neither keys nor secrets.
Error translate(const Answer& answer);

// What went wrong, in the store's words where it has any: "AccessDenied: Access Denied".
std::string words_of(const Answer& answer);

// The store does not answer, or not in time.
Error store_is_down();
// It did not answer to a change that must not be made twice: it may have been made.
Error outcome_unknown();
bool is_outcome_unknown(const Error& error);

}  // namespace flowstore::files::s3
