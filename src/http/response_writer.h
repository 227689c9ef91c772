// Writing answers: the head that every answer has, and its content in the cheapest way.

#pragma once

#include <cstdint>
#include <optional>
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

// Appends the status line and every header, to the empty line. `size` is the Content-Length;
// nothing: chunked, or up to the end of the connection for HTTP/1.0.
void append_head(std::string& out, const Response& response, std::optional<std::uint64_t> size,
                 const Framing& framing, std::string_view date, std::chrono::seconds idle_timeout);

// 204 and 304 end with the head, whatever the response holds (RFC 9110, section 6.4.1).
bool may_have_content(int status);

// Sends the answer. `sent` counts the content's bytes. Anything but ok means that the client has an
// incomplete answer and the connection must end.
Task<Io> write_response(Connection& connection, Response& response, const Framing& framing,
                        std::uint64_t& sent);

// The fixed answers to what is no request; see the contract, section 1.3. Each ends the connection.
std::string_view parser_level_answer(int status);

// "Not Found" for 404.
std::string_view reason_phrase(int status);

}  // namespace flowstore::http
