// A certificate authority that lives for one test, and what it certifies.

#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace flowstore {

struct FreeOpenSsl {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
using TestKey = std::unique_ptr<EVP_PKEY, FreeOpenSsl>;
using TestCertificate = std::unique_ptr<X509, FreeOpenSsl>;

// What a TLS server shows, and the key that goes with it.
struct TestIdentity {
  TestIdentity() = default;

  TestKey key;
  TestCertificate certificate;
};

class TestAuthority {
 public:
  TestAuthority() {
    char name[] = "/tmp/flowstore-authority-XXXXXX";
    folder_ = ::mkdtemp(name);
    own_ = begin("Test authority", 3600);
    add_extension(*own_.certificate, NID_basic_constraints, "critical,CA:TRUE");
    sign(*own_.certificate);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(file_of_certificate().c_str(), "w"), &std::fclose);
    if (!file || PEM_write_X509(file.get(), own_.certificate.get()) != 1) {
      throw std::runtime_error("the authority's certificate cannot be written");
    }
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority() { std::filesystem::remove_all(folder_); }

  // PEM, for a Trust.
  std::string file_of_certificate() const { return folder_ / "authority.pem"; }

  // `names` as in "DNS:localhost,IP:127.0.0.1"; valid for so many seconds, or no longer.
  TestIdentity certify(const std::string& names, long seconds = 3600) const {
    TestIdentity identity = begin("Test server", seconds);
    add_extension(*identity.certificate, NID_subject_alt_name, names.c_str());
    sign(*identity.certificate);
    return identity;
  }

 private:
  TestIdentity begin(const char* common_name, long seconds) const {
    TestIdentity identity;
    identity.key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    identity.certificate.reset(X509_new());
    X509& certificate = *identity.certificate;
    X509_set_version(&certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(&certificate), next_serial_++);
    X509_gmtime_adj(X509_getm_notBefore(&certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(&certificate), seconds);
    X509_set_pubkey(&certificate, identity.key.get());
    X509_NAME* const name = X509_get_subject_name(&certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
    const X509* const issuer = own_.certificate ? own_.certificate.get() : &certificate;
    X509_set_issuer_name(&certificate, X509_get_subject_name(issuer));
    if (own_.key == nullptr) signer_ = identity.key.get();
    return identity;
  }

  static void add_extension(X509& certificate, int kind, const char* value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    if (extension == nullptr) throw std::runtime_error(value);
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  void sign(X509& certificate) const { X509_sign(&certificate, signer_, EVP_sha256()); }

  std::filesystem::path folder_;
  TestIdentity own_;
  mutable EVP_PKEY* signer_ = nullptr;  // the key of own_
  mutable long next_serial_ = 1;
};

}  // namespace flowstore
