// Dialogue: one request and its answer, on one connection.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/connector.h"
#include "http/reply_reader.h"
#include "http/wire.h"

namespace flowstore::http {

// Used by one task at a time, on the wire's loop. Errors of it have the codes of connector.h.
class Dialogue {
 public:
  Dialogue(std::unique_ptr<Wire> wire, const OutgoingRequest& request);

  // Sends the head and the body and reads the head of the answer. If that begins, or the peer
  // leaves, before everything has been sent, no more is sent.
  Task<Status> begin(const OutgoingRequest& request, std::string head);

  const ResponseParser& head() const noexcept { return reader_.head(); }

  // The next bytes of the answer's body; empty at the end.
  Task<Result<std::string_view>> next();
  // Of the body, whatever the progress.
  void end_by(Instant deadline) noexcept { body_deadline_ = deadline; }

  // All of the answer is in, if not all of it has been asked for.
  bool is_over() const noexcept { return reader_.state() == ReplyReader::State::complete; }
  // Once over: the connection can be used again.
  bool can_be_kept() const noexcept { return was_sent_whole_ && reader_.can_be_kept(); }
  // The peer took or said nothing for as long as it was waited for.
  bool was_silent() const noexcept { return was_silent_; }
  // Takes the connection; what has come can still be had by next().
  std::unique_ptr<Wire> take_wire() noexcept { return std::move(wire_); }

 private:
  // These say false when the peer takes no more.
  Task<Result<bool>> send_source(ByteSource& source, std::string_view head);
  Task<Result<bool>> send(std::string_view first, std::string_view second);
  // Looks whether the peer answers or leaves already.
  bool wants_more();
  Task<Status> read_head();
  // Reads more of the answer, waiting for it if need be. Errors are sentences.
  Task<Status> read_more(Instant deadline);
  Try read_now();

  // Nothing more comes of the request.
  Error lost(std::string why) const;
  // From now on, if nothing moves.
  Instant head_deadline() const;

  std::unique_ptr<Wire> wire_;
  ReplyReader reader_;
  const std::chrono::milliseconds timeout_;
  const Instant deadline_;  // of the answer's head
  Instant body_deadline_ = Instant::max();
  std::size_t sent_ = 0;  // bytes that the kernel has taken
  bool was_sent_whole_ = false;
  bool has_piece_ = false;  // the reader's piece has not been asked for
  bool is_broken_ = false;
  bool was_silent_ = false;
};

}  // namespace flowstore::http
