#include "http/client_transfer.h"

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

namespace flowstore::http {
namespace {

Error no_answer(std::string reason) {
  return Error(ErrorKind::unavailable, "unavailable", std::move(reason));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Transfer::Transfer(ClientRequest request, Answer answer)
    : request_(std::move(request)),
      answer_(std::move(answer)),
      deadline_(std::chrono::steady_clock::now() + request_.timeout) {}

Transfer& Transfer::of(CURL* handle) {
  Transfer* transfer = nullptr;
  curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
  return *transfer;
}

Status Transfer::prepare(const Trust& trust) {
  handle_.reset(curl_easy_init());
  if (!handle_) throw std::bad_alloc();
  FLOWSTORE_TRY_STATUS(add_headers());
  set_options(trust);
  return Status();
}

Status Transfer::add_headers() {
  for (const auto& [name, value] : request_.headers) {
    if (has_control_character(name) || has_control_character(value)) {
      return no_answer("a header holds a control character");
    }
    const std::string line = std::string(name).append(": ").append(value);
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers_.release());  // the longer list has taken it over
    headers_.reset(longer);
  }
  return Status();
}

void Transfer::set_options(const Trust& trust) {
  CURL* handle = handle_.get();
  curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);

  curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");  // whatever libcurl can unpack
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, request_.follow_redirects ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, 5L);

  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(left().count()));
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(handle, CURLOPT_FRESH_CONNECT, request_.on_new_connection ? 1L : 0L);
  curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  // A request that times out while its host is looked up leaves the look-up behind. Without this
  // libcurl waits for it, and every other request with it.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);

  if (request_.stays_here) {
    curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!trust.file().empty()) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, trust.file().c_str());
    // Off, because it would keep libcurl from remembering what the file says; see Trust.
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
}

std::size_t Transfer::on_body(char* bytes, std::size_t one, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = one * count;
  std::string& body = transfer.response_.body;
  transfer.is_too_long_ = length > transfer.request_.max_body_bytes - body.size();
  if (transfer.is_too_long_) return 0;  // fewer than offered: libcurl stops the transfer
  body.append(bytes, length);
  return length;
}

// At least one millisecond: libcurl takes zero for "no limit".
std::chrono::milliseconds Transfer::left() const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds(1));
}

void Transfer::finish(CURLcode code) {
  if (code != CURLE_OK) return fail(reason_of(code));
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.retry_after = header_of("Retry-After");
  response_.date = header_of("Date");
  answer_(std::move(response_));
}

std::string Transfer::header_of(const char* name) const {
  curl_header* header = nullptr;
  constexpr int kLastRequest = -1;  // of those that redirects led to
  const CURLHcode found =
      curl_easy_header(handle_.get(), name, 0, CURLH_HEADER, kLastRequest, &header);
  return found == CURLHE_OK ? header->value : "";
}

void Transfer::fail(std::string reason) { answer_(no_answer(std::move(reason))); }

std::string Transfer::reason_of(CURLcode code) const {
  if (is_too_long_) {
    return "the answer is longer than " + std::to_string(request_.max_body_bytes) + " bytes";
  }
  if (code == CURLE_SSL_CACERT_BADFILE) {
    return "a certificate in NODE_EXTRA_CA_CERTS or in the system's bundle is broken";
  }
  return error_text_.front() != '\0' ? error_text_.data() : curl_easy_strerror(code);
}

}  // namespace flowstore::http
