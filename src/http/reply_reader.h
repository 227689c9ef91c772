// ReplyReader: bytes of a connection in, an answer out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "http/chunk_decoder.h"
#include "http/response_parser.h"

namespace flowstore::http {

// Reads one answer: its head, then its body by whatever tells where that ends. Knows no sockets.
class ReplyReader {
 public:
  enum class State : std::uint8_t {
    head,       // the head is not complete
    body,       // the body is not
    complete,   // all of the answer is in
    malformed,  // this is no answer, or it was cut short
  };

  // A HEAD has an answer without a body, whatever its head says.
  explicit ReplyReader(bool is_head_request);

  State state() const noexcept { return state_; }
  const ResponseParser& head() const noexcept { return parser_; }

  // Where the next bytes are to be put; never empty, and 64 KiB at most. What piece() gave goes.
  std::span<char> space();
  // Reads so many bytes that have been put there.
  State take(std::size_t bytes);
  // The peer has said its last word, which is how some bodies end.
  State end();

  bool was_ended() const noexcept { return was_ended_; }

  // The bytes of the body that the latest take() found.
  std::string_view piece() const noexcept { return piece_; }

  // Once complete: the peer keeps the connection, and nothing has come behind the answer.
  bool can_be_kept() const noexcept;

 private:
  void take_head(std::size_t bytes);
  void take_body(std::span<char> input);
  void take_chunks(std::span<char> input);
  void take_counted(std::span<char> input);
  void reserve(std::size_t size);

  ResponseParser parser_;
  ChunkDecoder chunks_;
  State state_ = State::head;
  std::unique_ptr<char[]> buffer_;  // not a vector, which would be filled with zeros first
  std::size_t size_ = 0;
  std::string_view piece_;
  std::uint64_t left_ = 0;  // of a body whose length is known
  bool has_surplus_ = false;
  bool was_ended_ = false;
};

}  // namespace flowstore::http
