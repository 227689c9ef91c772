// Blocking calls: small files, at the start of the program only.
#include "postgres/tls.h"

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

#include "base/small_file.h"

namespace flowstore::postgres {
namespace {

// Where distributions keep what they trust: Debian and Alpine, Red Hat, SUSE.
constexpr std::array kSystemFiles = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
};

bool holds_certificate(const std::optional<std::string>& bytes) {
  return bytes && bytes->find("-----BEGIN CERTIFICATE-----") != std::string::npos;
}

std::string system_file() {
  for (const char* path : kSystemFiles) {
    if (::access(path, R_OK) == 0) return path;
  }
  return "";
}

// In memory: the root of a container is often read-only and there is no /tmp.
FileDescriptor in_memory(std::string_view bytes) {
  FileDescriptor file(::memfd_create("certificates", MFD_CLOEXEC));
  if (!file) throw std::system_error(errno, std::generic_category(), "memfd_create");
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) throw std::system_error(errno, std::generic_category(), "memfd write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return file;
}

const char* mode_word(TlsMode mode) {
  switch (mode) {
    case TlsMode::disable:
      return "disable";
    case TlsMode::require:
      return "require";
    case TlsMode::verify_ca:
      return "verify-ca";
    case TlsMode::verify_full:
      return "verify-full";
  }
  return "verify-full";
}

Error bad_option(const std::string& option, const std::string& path, const char* what) {
  return {ErrorKind::invalid, "", "context.options." + option + ": " + path + " " + what};
}

Status check_readable(const std::string& option, const std::string& path) {
  if (path.empty() || ::access(path.c_str(), R_OK) == 0) return Status();
  return bad_option(option, path, "cannot be read; correct the path or its permissions");
}

}  // namespace

Result<Tls> Tls::make(const Options& options, const char* extra_file) {
  Tls tls(mode_word(options.tls));
  if (options.tls == TlsMode::disable) return tls;
  FLOWSTORE_TRY_STATUS(check_readable("ssl.cert", options.cert_file));
  FLOWSTORE_TRY_STATUS(check_readable("ssl.key", options.key_file));
  if (options.tls != TlsMode::require) {
    FLOWSTORE_TRY_STATUS(tls.choose_authorities(options.ca_file, extra_file));
  }
  return tls;
}

Status Tls::choose_authorities(const std::string& ca_file, const char* extra_file) {
  if (!ca_file.empty()) {
    if (!holds_certificate(read_small_file(ca_file))) {
      return bad_option("ssl.ca", ca_file, "holds no PEM certificate that can be read");
    }
    authorities_ = ca_file;
    return Status();
  }
  authorities_ = system_file();
  if (extra_file != nullptr && *extra_file != '\0') {
    const auto extra = read_small_file(extra_file);
    if (holds_certificate(extra)) {
      memory_ = in_memory(read_small_file(authorities_).value_or("") + "\n" + *extra);
      authorities_ = "/proc/self/fd/" + std::to_string(memory_.get());
    } else {
      warning_ = "NODE_EXTRA_CA_CERTS is ignored: " + std::string(extra_file) +
                 (extra ? " holds no PEM certificate." : " cannot be read.");
    }
  }
  if (!authorities_.empty()) return Status();
  return Error(ErrorKind::invalid, "",
               "context.options.ssl: the system has no certificate authorities; install "
               "ca-certificates or name a file in ssl.ca");
}

}  // namespace flowstore::postgres
