// Blocking calls: small files, at the start of the program only.
#include "http/client_trust.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>

#include <curl/curl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace flowstore::http {
namespace {

std::optional<std::string> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // A folder opens like a file and fails here.
  if (file.bad()) return std::nullopt;
  return bytes;
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) throw std::system_error(errno, std::generic_category(), "memfd write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Trust::Trust(const char* extra_file) {
  const char* system_file = curl_version_info(CURLVERSION_NOW)->cainfo;
  if (system_file != nullptr && ::access(system_file, R_OK) == 0) file_ = system_file;
  if (extra_file == nullptr || *extra_file == '\0') return;

  const auto extra = read_file(extra_file);
  if (extra && extra->find("-----BEGIN CERTIFICATE-----") != std::string::npos) {
    join(read_file(file_.c_str()).value_or(""), *extra);
  } else {
    warning_ = "NODE_EXTRA_CA_CERTS is ignored: " + std::string(extra_file) +
               (extra ? " holds no PEM certificate." : " cannot be read.");
  }
}

// In memory: the root of a container is often read-only and there is no /tmp.
void Trust::join(const std::string& system, const std::string& extra) {
  memory_ = FileDescriptor(::memfd_create("certificates", MFD_CLOEXEC));
  if (!memory_) throw std::system_error(errno, std::generic_category(), "memfd_create");
  write_all(memory_.get(), system);
  write_all(memory_.get(), "\n");
  write_all(memory_.get(), extra);
  file_ = "/proc/self/fd/" + std::to_string(memory_.get());
}

}  // namespace flowstore::http
