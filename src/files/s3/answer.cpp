#include "files/s3/answer.h"

#include <array>
#include <charconv>

#include "files/file_errors.h"
#include "http/date.h"

namespace flowstore::files::s3 {
namespace {

constexpr const char* kUnavailable = "storage_unavailable";
constexpr const char* kUnknown = "storage_outcome_unknown";

bool says_full(std::string_view code) {
  return code == "QuotaExceeded" || code == "InsufficientStorage" || code == "XMinioStorageFull" ||
         code == "InsufficientCapacity" || code == "StorageFull";
}

bool says_too_long(std::string_view code) {
  return code == "KeyTooLongError" || code == "InvalidObjectName";
}

}  // namespace

FileStat stat_of(const Answer& answer) {
  FileStat stat;
  const std::string_view length = answer.header("content-length");
  std::from_chars(length.data(), length.data() + length.size(), stat.size);
  stat.etag = answer.header("etag");
  const bool is_quoted = stat.etag.size() >= 2 && stat.etag.front() == '"';
  if (!stat.etag.empty() && !is_quoted) stat.etag = "\"" + stat.etag + "\"";
  if (const auto date = http::parse_date(answer.header("last-modified"))) stat.modified = *date;
  return stat;
}

Error translate(const Answer& answer) {
  if (says_full(answer.code) || answer.status == 507) return store_is_full();
  if (says_too_long(answer.code)) {
    return {ErrorKind::invalid, "ENAMETOOLONG", "ENAMETOOLONG: name too long"};
  }
  if (answer.status == 412 || answer.status == 409) {
    return {ErrorKind::conflict, "conflict", "The file is being changed by somebody else"};
  }
  if (answer.status >= 500 || answer.status == 429 || answer.status == 408) return store_is_down();
  const std::string code = answer.code.empty() ? "storage_error" : answer.code;
  return {ErrorKind::internal, code, "The file storage refused: " + words_of(answer)};
}

std::string words_of(const Answer& answer) {
  std::string words = answer.code.empty() ? "HTTP " + std::to_string(answer.status) : answer.code;
  if (!answer.message.empty()) words.append(": ").append(answer.message);
  return words;
}

Error store_is_down() {
  return {ErrorKind::unavailable, kUnavailable,
          "The file storage cannot be reached; try again in a moment"};
}

Error outcome_unknown() {
  return {ErrorKind::unavailable, kUnknown,
          "The file storage did not answer in time; look at the file before you try again"};
}

bool is_outcome_unknown(const Error& error) { return error.code() == kUnknown; }

}  // namespace flowstore::files::s3
