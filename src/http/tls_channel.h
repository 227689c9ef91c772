// TlsChannel: the server's end of TLS over one accepted socket.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sys/types.h>
#include <sys/uio.h>

#include "http/tls.h"

struct bio_st;

namespace flowstore::http {

// Never waits: every call does what can be done at once. Ciphertext that the kernel has no room for
// waits here, so that OpenSSL takes whole records and is never asked for the same one twice; there
// is little of it. Used by one thread.
class TlsChannel {
 public:
  enum class Handshake : std::uint8_t {
    done,
    goes_on,  // once the client has sent more
    not_tls,  // the client speaks HTTP in the clear
    failed,
  };
  enum class Input : std::uint8_t { nothing, some, ended };

  // `socket` is not blocking and outlives the channel; `tls` is of ServerTls.
  TlsChannel(Tls tls, int socket);
  // Says goodbye as far as that can be done at once.
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  Handshake shake_hands();

  // Whether bytes of the client can be had; takes none.
  Input look();
  // Takes what has arrived: `nothing` with a `size` of 0.
  Input receive(std::span<char> into, std::size_t& size);

  // Encrypts and sends about as much as the kernel has room for; the bytes taken, or -1 if the
  // connection is gone. With `is_more_to_come` they may stay here until the next call.
  ssize_t send(std::span<const iovec> pieces, bool is_more_to_come);
  // Hands the kernel what it has room for; false if the connection is gone.
  bool flush();
  // Whether flush() has more to do.
  bool has_unsent() const noexcept { return !unsent_.empty(); }

  // What was sent is not all that should have been: no goodbye, so that the client can tell.
  void break_off() noexcept { is_broken_ = true; }

  // For OpenSSL, which reads and writes through them.
  static int read_socket(bio_st* bio, char* into, int size);
  static int keep_unsent(bio_st* bio, const char* from, int size);

 private:
  Input why_not(int result);
  bool encrypt(const char* bytes, std::size_t size);

  int socket_;
  // What one call may still take from the kernel; then the neighbours of the loop have their turn.
  std::size_t allowance_ = 0;
  std::string unsent_;
  bool is_broken_ = false;
  Tls tls_;
};

}  // namespace flowstore::http
