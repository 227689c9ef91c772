// RequestBody: the body of one request, pulled off its connection.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/byte_source.h"
#include "http/connection.h"
#include "http/request_parser.h"

namespace flowstore::http {

// Reads no further than it is asked to. Holds a buffer only while a body is larger than what came
// with its head.
class RequestBody final : public ByteSource {
 public:
  // The head has been parsed; the parser's body piece is what came with it.
  RequestBody(Connection& connection, RequestParser& parser, bool is_complete,
              bool expects_continue);

  Task<Result<std::string_view>> next() override;
  std::optional<std::uint64_t> size() const override { return parser_.content_length(); }

  // Reads and forgets the rest if that is little, so that the connection can go on. False if it
  // cannot: the client waits for a 100, broke the protocol, or sends too much or nobody knows how
  // much.
  Task<bool> discard_rest();

  // Every byte has arrived.
  bool is_complete() const noexcept { return is_complete_; }
  // True if discard_rest() has a chance, judged before anything is waited for.
  bool is_rest_small() const noexcept;

  // What the client did wrong, for the answer that the session gives in the handler's place.
  enum class Fault : std::uint8_t { none, closed, malformed, too_slow };
  Fault fault() const noexcept { return fault_; }

  // Bytes of the body so far.
  std::uint64_t received() const noexcept { return received_; }

  // The bytes after this request that were read with it.
  std::string_view surplus() const noexcept;

 private:
  Error fail(Fault fault);
  Task<Result<std::string_view>> receive_piece();
  void allocate();
  Clock::Duration window() const;
  Clock::Duration earned_by(std::size_t bytes) const;
  std::uint64_t rate() const noexcept;  // bytes a second; 0: any

  Connection& connection_;
  RequestParser& parser_;
  std::string_view first_piece_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t received_ = 0;
  // What is left of the time in which the next bytes must come; see Limits::body_window.
  Clock::Duration patience_;
  bool is_complete_;
  bool expects_continue_;
  Fault fault_ = Fault::none;
};

}  // namespace flowstore::http
