// Transfer: one request of the HTTP client on its way through libcurl.

#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include <curl/curl.h>

#include "http/client.h"
#include "http/client_trust.h"

namespace flowstore::http {

// libcurl keeps its address: it stays where it was made. Used by one thread at a time.
class Transfer {
 public:
  // libcurl lives in real time, so this does too and takes no Clock.
  using Instant = std::chrono::steady_clock::time_point;
  // Called once, on the thread that ends the transfer.
  using Answer = std::function<void(Result<ClientResponse>)>;

  // The timeout runs from here.
  Transfer(ClientRequest request, Answer answer);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Instant deadline() const noexcept { return deadline_; }

  // Makes the libcurl handle. Fails if the request cannot be sent as it is. `trust` outlives this.
  Status prepare(const Trust& trust);
  // Null before prepare().
  CURL* handle() const noexcept { return handle_.get(); }
  static Transfer& of(CURL* handle);

  // Answers with what has arrived.
  void finish(CURLcode code);
  // Answers that there is no answer.
  void fail(std::string reason);

 private:
  struct Free {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };

  static std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* self);
  Status add_headers();
  void set_options(const Trust& trust);
  std::chrono::milliseconds left() const;
  // Of the answer; empty if it was not sent.
  std::string header_of(const char* name) const;
  std::string reason_of(CURLcode code) const;

  ClientRequest request_;
  Answer answer_;
  Instant deadline_;
  // Declared before the handle, which refers to them until it is gone.
  std::unique_ptr<curl_slist, Free> headers_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  ClientResponse response_;
  bool is_too_long_ = false;
  std::unique_ptr<CURL, Free> handle_;
};

}  // namespace flowstore::http
