// Conditional requests (RFC 9110, section 13) on the values that a store knows.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flowstore::files {

// What is known of a stored file without reading it.
struct FileStat {
  FileStat() = default;

  std::uint64_t size = 0;
  std::string etag;  // with its quotes; strong: equal only for equal bytes
  std::chrono::system_clock::time_point modified{};
};

// If-Match or If-None-Match: "*" or a list of entity tags as sent, weak ones with their W/.
struct EtagList {
  EtagList() = default;

  bool is_any = false;
  std::vector<std::string> etags;
};

// The conditions of one request; absent means not sent.
struct Preconditions {
  Preconditions() = default;

  std::optional<EtagList> if_match;
  std::optional<EtagList> if_none_match;
  std::optional<std::chrono::system_clock::time_point> if_modified_since;  // reads only
  std::optional<std::chrono::system_clock::time_point> if_unmodified_since;

  bool empty() const noexcept {
    return !if_match && !if_none_match && !if_modified_since && !if_unmodified_since;
  }
};

enum class ReadVerdict : std::uint8_t { proceed, not_modified, failed };

// RFC 9110, section 13.2.2, for GET and HEAD of an existing file.
ReadVerdict evaluate_read(const Preconditions& conditions, const FileStat& stat);

// The same for a write or delete; `stat` is absent when there is no such file. Error:
// precondition_failed.
Status evaluate_write(const Preconditions& conditions, const std::optional<FileStat>& stat);

}  // namespace flowstore::files
