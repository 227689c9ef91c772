// Blocking calls: a small file, at the start of the program only.
#include "http/trust.h"

#include <cstdlib>

#include "base/small_file.h"

namespace flowstore::http {

Trust::Trust(const char* extra_file) {
  if (extra_file == nullptr || *extra_file == '\0') return;
  const auto text = read_small_file(extra_file);
  if (text && text->find("-----BEGIN CERTIFICATE-----") != std::string::npos) {
    extra_file_ = extra_file;
    return;
  }
  warning_ = "NODE_EXTRA_CA_CERTS is ignored: " + std::string(extra_file) +
             (text ? " holds no PEM certificate." : " cannot be read.");
}

Trust Trust::of_environment() { return Trust(std::getenv("NODE_EXTRA_CA_CERTS")); }

Trust Trust::in_anybody() {
  Trust trust(nullptr);
  trust.is_in_anybody_ = true;
  return trust;
}

}  // namespace flowstore::http
