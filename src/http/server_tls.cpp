// Reads files and so blocks.

#include "http/server_tls.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/file_descriptor.h"

namespace flowstore::http {
namespace {

// Four records at a time: a large body costs fewer calls of the kernel.
constexpr std::size_t kReadAhead = 64U << 10;

Error unusable(std::string why) { return {ErrorKind::invalid, "tls", std::move(why)}; }

// OpenSSL puts the cause first.
std::string first_error() {
  const char* const words = ERR_reason_error_string(ERR_peek_error());
  return words == nullptr ? "unknown error" : words;
}

bool is_mismatch() { return ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH; }

// Says what OpenSSL does not say, and does not wait for a pipe.
Status can_be_read(const std::string& what, const std::string& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  const int error = errno;
  if (!opened) {
    return unusable("cannot read " + what + " " + file + ": " +
                    std::system_category().message(error));
  }
  struct stat attributes {};
  if (::fstat(opened.get(), &attributes) == 0 && S_ISREG(attributes.st_mode)) return {};
  return unusable("cannot read " + what + " " + file + ": it is no file");
}

// Nobody is there to type the password of a key.
int no_password(char*, int, int, void*) { return -1; }

std::string stamp_of(const std::string& file) {
  struct stat attributes {};
  if (::stat(file.c_str(), &attributes) != 0) return "none";
  std::string stamp;
  for (const auto part :
       {static_cast<long long>(attributes.st_dev), static_cast<long long>(attributes.st_ino),
        static_cast<long long>(attributes.st_size),
        static_cast<long long>(attributes.st_mtim.tv_sec),
        static_cast<long long>(attributes.st_mtim.tv_nsec)}) {
    stamp += std::to_string(part) + ' ';
  }
  return stamp;
}

void set_up(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Clients that ask for new keys again and again would cost more than they pay.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  // Tickets need no memory here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(context, &no_password);
}

}  // namespace

Result<std::unique_ptr<ServerTls>> ServerTls::load(std::string certificate_file,
                                                   std::string key_file) {
  std::unique_ptr<ServerTls> tls(new ServerTls(std::move(certificate_file), std::move(key_file)));
  tls->loaded_stamp_ = tls->stamp();
  tls->seen_stamp_ = tls->loaded_stamp_;
  FLOWSTORE_TRY_STATUS(tls->reload());
  return tls;
}

ServerTls::~ServerTls() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<ServerTls::Context> ServerTls::read() const {
  FLOWSTORE_TRY_STATUS(can_be_read("the certificate", certificate_file_));
  FLOWSTORE_TRY_STATUS(can_be_read("the key", key_file_));
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) return unusable("TLS cannot be used: " + first_error());
  set_up(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file_.c_str()) != 1) {
    return unusable(certificate_file_ + " holds no certificate in PEM: " + first_error());
  }
  const bool has_key =
      SSL_CTX_use_PrivateKey_file(context.get(), key_file_.c_str(), SSL_FILETYPE_PEM) == 1;
  if (!has_key && !is_mismatch()) {
    return unusable(key_file_ +
                    " holds no key in PEM that can be used without a password: " + first_error());
  }
  if (!has_key || SSL_CTX_check_private_key(context.get()) != 1) {
    return unusable("the key in " + key_file_ + " is not that of the certificate in " +
                    certificate_file_);
  }
  return context;
}

std::string ServerTls::stamp() const { return stamp_of(certificate_file_) + stamp_of(key_file_); }

Status ServerTls::reload() {
  FLOWSTORE_TRY(auto context, read());
  const std::lock_guard lock(mutex_);
  context_.swap(context);
  return {};
}

void ServerTls::watch(std::chrono::milliseconds period, Listener listener) {
  listener_ = std::move(listener);
  thread_ = std::thread([this, period] { run(period); });
}

void ServerTls::run(std::chrono::milliseconds period) {
  std::unique_lock lock(mutex_);
  while (!is_ending_) {
    ending_.wait_for(lock, period);
    if (is_ending_) return;
    lock.unlock();
    look();
    lock.lock();
  }
}

// The stamp is taken before the files are read: what changes meanwhile is seen at the next look.
void ServerTls::look() {
  std::string now = stamp();
  const bool has_settled = now == seen_stamp_;
  seen_stamp_ = now;
  if (!has_settled || now == loaded_stamp_) return;
  loaded_stamp_ = std::move(now);
  listener_(reload());
}

Tls ServerTls::begin() {
  Context context;
  {
    const std::lock_guard lock(mutex_);
    context = context_;
  }
  Tls tls(SSL_new(context.get()));
  if (tls) SSL_set_accept_state(tls.get());
  return tls;
}

}  // namespace flowstore::http
