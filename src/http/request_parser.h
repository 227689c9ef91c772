// RequestParser: bytes in, request heads and body pieces out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "http/chunk_decoder.h"
#include "http/handler.h"
#include "http/limits.h"

namespace flowstore::http {

// One request at a time. Heads are read by llhttp, Node.js' own parser, so that the same requests
// are refused as by the old server; what the llhttp of Debian 12 lets pass and the old server's
// does not is checked here. Copies nothing: heads are spans of the caller's buffer, and body pieces
// are moved together at the front of the place where they arrived.
class RequestParser {
 public:
  enum class Outcome : std::uint8_t {
    need_more,         // everything given was taken in
    message_complete,  // the request ended at consumed()
    malformed,         // not HTTP/1.0 or 1.1 as RFC 9112 and Node.js have it
    head_too_large,    // more than Limits::head_bytes or Limits::headers
  };

  explicit RequestParser(const Limits& limits);
  ~RequestParser();
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;

  // Forgets everything, for the next request of the connection.
  void reset();
  // Gives the memory back, between requests.
  void release() { fields_ = std::vector<Field>(); }

  // Parses [from, to) of `buffer`. While the head is incomplete every call must pass the same bytes
  // below `from` again (in a buffer that may have moved); after that any buffer will do. Not to be
  // called again after an outcome other than need_more.
  Outcome parse(char* buffer, std::size_t from, std::size_t to);

  // Where the request ended, an offset into the buffer of the last call.
  std::size_t consumed() const noexcept { return consumed_; }

  // The decoded body bytes that the last call found, at their new place in its buffer.
  std::string_view body_piece() const noexcept { return body_piece_; }

  bool is_head_complete() const noexcept { return is_head_complete_; }

  // What follows is valid once the head is complete, for the buffer that holds it.
  std::string_view method() const noexcept;
  std::string_view target(const char* head) const noexcept;
  void headers(const char* head, std::vector<Header>& out) const;
  bool is_http_1_0() const noexcept;
  bool is_connect() const noexcept;
  bool wants_keep_alive() const noexcept { return wants_keep_alive_; }
  // Bytes of the body; 0 without one, nothing when chunked.
  std::optional<std::uint64_t> content_length() const noexcept;

 private:
  struct Span {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::size_t end() const noexcept { return offset + size; }
  };
  struct Field {
    Span name;
    Span value;
  };

  // llhttp and its callbacks.
  struct Engine;

  Outcome parse_head(std::size_t from, std::size_t to);
  Outcome take_body(std::span<char> input, std::size_t from);
  // Adds to a span, counting towards the limit on heads; non-zero stops the parser.
  int extend(Span& span, const char* at, std::size_t size);
  int open_field();
  bool is_well_formed(std::string_view head) const;
  bool is_well_framed(std::string_view head) const;

  const Limits& limits_;
  std::unique_ptr<Engine> engine_;
  ChunkDecoder chunks_;
  char* buffer_ = nullptr;  // of the running parse()
  std::size_t consumed_ = 0;
  std::string_view body_piece_;
  Span target_;
  std::vector<Field> fields_;
  std::uint64_t content_length_ = 0;
  std::uint64_t remaining_ = 0;  // of a body with Content-Length
  std::size_t head_bytes_ = 0;
  bool is_field_complete_ = true;  // the next piece of a name opens a new field
  bool is_head_complete_ = false;
  bool is_head_too_large_ = false;
  bool is_chunked_ = false;
  bool wants_keep_alive_ = false;
};

}  // namespace flowstore::http
