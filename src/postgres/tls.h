// Tls: what libpq is told about encryption.

#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"
#include "postgres/options.h"

namespace flowstore::postgres {

// The files behind Options::tls, looked at once. A certificate authority of NODE_EXTRA_CA_CERTS is
// joined with the system's in memory, because libpq reads one file.
class Tls {
 public:
  // `extra_file` is NODE_EXTRA_CA_CERTS; null or empty: there is none. The error is one sentence
  // that says what to do.
  static Result<Tls> make(const Options& options, const char* extra_file);

  const char* mode() const noexcept { return mode_; }
  // For sslrootcert; empty where no certificate is checked. Readable as long as this object lives.
  const std::string& authorities() const noexcept { return authorities_; }
  // NODE_EXTRA_CA_CERTS could not be used, as a sentence; or empty.
  const std::string& warning() const noexcept { return warning_; }

 private:
  explicit Tls(const char* mode) : mode_(mode) {}
  Status choose_authorities(const std::string& ca_file, const char* extra_file);

  const char* mode_;
  std::string authorities_;
  std::string warning_;
  FileDescriptor memory_;  // the joined files, where there is an extra one
};

}  // namespace flowstore::postgres
