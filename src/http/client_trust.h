// Trust: which certificate authorities the HTTP client believes.

#pragma once

#include <string>

#include "base/file_descriptor.h"

namespace flowstore::http {

// The system's bundle plus a file of the operator's, as one file.
//
// One file, because libcurl parses its authorities once and keeps them only if they come from a
// CURLOPT_CAINFO file and from nowhere else; the system's bundle costs 33 ms of CPU, and a fleet
// that starts opens 64 connections at once.
class Trust {
 public:
  // `extra_file` holds PEM certificates; null or empty: there are none. A file that cannot be read
  // is left out, as Node.js does, and warning() says so.
  explicit Trust(const char* extra_file);

  // For CURLOPT_CAINFO. Readable as long as this object lives; empty if the system has no bundle
  // and there is nothing extra: libcurl's own defaults apply then.
  const std::string& file() const noexcept { return file_; }
  const std::string& warning() const noexcept { return warning_; }

 private:
  void join(const std::string& system, const std::string& extra);

  std::string file_;
  std::string warning_;
  FileDescriptor memory_;  // both files joined, where there is an extra one
};

}  // namespace flowstore::http
