#include "files/preconditions.h"

#include <algorithm>

namespace flowstore::files {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

bool is_weak(std::string_view etag) { return etag.starts_with("W/"); }

// RFC 9110, section 8.8.3.2. Ours are strong, so only the sent ones can be weak.
bool matches_strongly(const EtagList& list, std::string_view etag) {
  return list.is_any || std::find(list.etags.begin(), list.etags.end(), etag) != list.etags.end();
}

bool matches_weakly(const EtagList& list, std::string_view etag) {
  return list.is_any ||
         std::any_of(list.etags.begin(), list.etags.end(), [etag](std::string_view sent) {
           return (is_weak(sent) ? sent.substr(2) : sent) == etag;
         });
}

Error failed() {
  return Error(ErrorKind::precondition_failed, "ERR_PRECONDITION_FAILED",
               "The file is not in the state that the request expects; read it again");
}

// If-Match, or without it If-Unmodified-Since.
bool is_state_expected(const Preconditions& conditions, const FileStat& stat) {
  if (conditions.if_match) return matches_strongly(*conditions.if_match, stat.etag);
  if (!conditions.if_unmodified_since) return true;
  return floor<seconds>(stat.modified) <= *conditions.if_unmodified_since;
}

}  // namespace

ReadVerdict evaluate_read(const Preconditions& conditions, const FileStat& stat) {
  if (!is_state_expected(conditions, stat)) return ReadVerdict::failed;
  if (conditions.if_none_match) {
    const bool is_known = matches_weakly(*conditions.if_none_match, stat.etag);
    return is_known ? ReadVerdict::not_modified : ReadVerdict::proceed;
  }
  if (conditions.if_modified_since &&
      floor<seconds>(stat.modified) <= *conditions.if_modified_since) {
    return ReadVerdict::not_modified;
  }
  return ReadVerdict::proceed;
}

Status evaluate_write(const Preconditions& conditions, const std::optional<FileStat>& stat) {
  if (!stat) {
    // No file has no tag and no date: If-Match fails, If-None-Match holds (RFC 9110, section 13.1).
    if (conditions.if_match) return failed();
    return {};
  }
  if (!is_state_expected(conditions, *stat)) return failed();
  if (conditions.if_none_match && matches_weakly(*conditions.if_none_match, stat->etag)) {
    return failed();
  }
  return {};
}

}  // namespace flowstore::files
