#include "http/request_body.h"

#include <algorithm>

namespace flowstore::http {
namespace {

// A body larger than this is read in larger pieces: fewer system calls, and still little memory for
// each of a thousand uploads.
constexpr std::uint64_t kLargeBody = 256 * 1024;
constexpr std::size_t kLargePiece = 256 * 1024;
constexpr std::size_t kSmallPiece = 64 * 1024;

// An unread rest up to this size is read and forgotten; a larger one costs the connection, and so
// does one of unknown size: whether the connection goes on is said before it is read.
constexpr std::uint64_t kDiscardBytes = 256 * 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

RequestBody::RequestBody(Connection& connection, RequestParser& parser, bool is_complete,
                         bool expects_continue)
    : connection_(connection),
      parser_(parser),
      first_piece_(parser.body_piece()),
      received_(first_piece_.size()),
      patience_(window()),
      is_complete_(is_complete),
      expects_continue_(expects_continue && !is_complete && first_piece_.empty()) {}

Clock::Duration RequestBody::window() const {
  return connection_.loop().environment().limits.body_window;
}

Task<Result<std::string_view>> RequestBody::next() {
  if (!first_piece_.empty()) {
    const std::string_view piece = first_piece_;
    first_piece_ = std::string_view();
    co_return piece;
  }
  if (is_complete_) co_return std::string_view();
  if (fault_ != Fault::none) co_return fail(fault_);
  if (expects_continue_) {
    expects_continue_ = false;
    const Io io = co_await connection_.send(kContinue, false);
    if (io != Io::ok) co_return fail(Fault::closed);
  }
  co_return co_await receive_piece();
}

Task<Result<std::string_view>> RequestBody::receive_piece() {
  allocate();
  // One receive may bring only chunk framing: go on until there are bytes or the end.
  while (true) {
    connection_.set_deadline(Connection::Phase::reading, patience_);
    if (rate() == 0) connection_.set_working();  // any rate will do
    const auto started = connection_.loop().coarse_now();
    const std::span<char> space(buffer_.get(), capacity_);
    const Io io = co_await connection_.receive(space, filled_);
    if (io == Io::expired) co_return fail(Fault::too_slow);
    if (io != Io::ok) co_return fail(Fault::closed);

    const auto outcome = parser_.parse(buffer_.get(), 0, filled_);
    if (outcome == RequestParser::Outcome::malformed ||
        outcome == RequestParser::Outcome::head_too_large) {
      co_return fail(Fault::malformed);
    }
    is_complete_ = outcome == RequestParser::Outcome::message_complete;
    const std::string_view piece = parser_.body_piece();
    received_ += piece.size();
    // Only time spent waiting for the client counts, not the handler's.
    const auto waited = connection_.loop().coarse_now() - started;
    patience_ = std::min(window(), patience_ + earned_by(piece.size()) - waited);
    connection_.set_working();
    if (is_complete_) connection_.set_answering();
    if (!piece.empty() || is_complete_) co_return piece;
  }
}

// Every byte earns the time that it takes at the slowest rate allowed.
Clock::Duration RequestBody::earned_by(std::size_t bytes) const {
  if (rate() == 0) return window();
  const std::chrono::duration<double> earned(static_cast<double>(bytes) /
                                             static_cast<double>(rate()));
  return std::chrono::duration_cast<Clock::Duration>(earned);
}

std::uint64_t RequestBody::rate() const noexcept {
  return connection_.loop().environment().limits.body_rate_bytes_per_second;
}

Task<bool> RequestBody::discard_rest() {
  if (!is_rest_small()) co_return false;
  first_piece_ = std::string_view();
  while (!is_complete_) {
    const auto piece = co_await next();
    if (!piece) co_return false;
  }
  co_return true;
}

bool RequestBody::is_rest_small() const noexcept {
  if (fault_ != Fault::none) return false;
  if (is_complete_) return true;
  if (expects_continue_) return false;
  const auto size = parser_.content_length();
  return size && *size - received_ <= kDiscardBytes;
}

std::string_view RequestBody::surplus() const noexcept {
  if (!buffer_ || !is_complete_) return std::string_view();
  const std::size_t end = parser_.consumed();
  return std::string_view(buffer_.get() + end, filled_ - end);
}

Error RequestBody::fail(Fault fault) {
  fault_ = fault;
  connection_.set_working();
  return Error(ErrorKind::aborted, "ERR_BODY_INCOMPLETE", "the request body did not arrive whole");
}

void RequestBody::allocate() {
  if (buffer_) return;
  const auto size = parser_.content_length();
  const bool is_large = size && *size > kLargeBody;
  capacity_ = is_large ? kLargePiece : kSmallPiece;
  buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
}

}  // namespace flowstore::http
