// Writing answers: the head that every answer has, and its content in the cheapest way.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/task.h"
#include "http/connection.h"
#include "http/handler.h"

namespace flowstore::http {

// How an answer is framed; decided by the request.
struct Framing {
  bool is_head_request = false;  // HEAD: everything but the content
  bool is_http_1_0 = false;      // no chunks
  bool keeps_alive = true;
};

// What all heads of one second have in common.
struct HeadTime {
  std::string_view date;
  std::chrono::seconds idle_timeout;
};

// Bytes that the head of this answer may need.
std::size_t head_room(const Response& response);

// Writes the status line and every header, to the empty line, where there is room for it; returns
// the bytes written. `size` is the Content-Length; nothing: chunked, or up to the end of the
// connection for HTTP/1.0.
std::size_t write_head(char* out, const Response& response, std::optional<std::uint64_t> size,
                       const Framing& framing, const HeadTime& time);

// 204 and 304 end with the head, whatever the response holds (RFC 9110, section 6.4.1).
bool may_have_content(int status);

// Sends one answer; made for the answer. Anything but ok means that the client has an incomplete
// one and the connection must end.
class ResponseWriter {
 public:
  // All three outlive the writer.
  ResponseWriter(Connection& connection, Response& response, const Framing& framing)
      : connection_(connection), response_(response), framing_(framing) {}

  // Tries to send the whole answer by one system call, which is enough for most and costs no
  // coroutine. False if something is left for send_rest().
  bool send_at_once();
  Task<Io> send_rest();

  // Bytes of the content so far.
  std::uint64_t sent() const noexcept { return sent_; }

 private:
  std::string_view content_in_memory(std::span<char> space);
  Task<Io> send_file(const Content::File& file);
  Task<bool> warm(int file, std::uint64_t offset, std::uint64_t length);
  Task<Io> send_stream(ByteSource& source);
  Task<Io> send_chunk(std::string_view piece);

  Connection& connection_;
  Response& response_;
  const Framing& framing_;
  std::uint64_t sent_ = 0;
  std::string rest_of_head_;
  std::string own_content_;           // of a small file
  std::string_view rest_of_content_;  // of content in memory
  bool has_more_ = false;             // content that is not in memory
};

// The fixed answers to what is no request; see the contract, section 1.3. Each ends the connection.
std::string_view parser_level_answer(int status);

// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace flowstore::http
