// Trust: which certificate authorities our clients believe.

#pragma once

#include <string>

namespace flowstore::http {

// Those of the system, as OpenSSL finds them, and beside them those in a file of the operator's.
class Trust {
 public:
  // `extra_file` holds PEM certificates; null or empty: there are none. A file that cannot be read
  // is left out, as Node.js does, and warning() says so. Blocks for a small file.
  explicit Trust(const char* extra_file);
  // With the file of the environment variable NODE_EXTRA_CA_CERTS, as Node.js has it.
  static Trust of_environment();
  // Whatever certificate is shown: for a port of this machine, which has one that is made out to
  // the name that clients know, and nothing secret.
  static Trust in_anybody();

  bool is_in_anybody() const noexcept { return is_in_anybody_; }
  // Empty if there is none.
  const std::string& extra_file() const noexcept { return extra_file_; }
  // What the operator should hear about at the start, in one sentence; empty if all is well.
  const std::string& warning() const noexcept { return warning_; }

 private:
  std::string extra_file_;
  std::string warning_;
  bool is_in_anybody_ = false;
};

}  // namespace flowstore::http
