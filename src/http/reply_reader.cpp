#include "http/reply_reader.h"

#include <algorithm>

namespace flowstore::http {
namespace {

// One read of a large body.
constexpr std::size_t kPieceBytes = 64U << 10;
// The first read; most answers are no longer.
constexpr std::size_t kFirstBytes = 8U << 10;
// A chunk's extension, and all trailers together.
constexpr std::size_t kMostLine = 16U << 10;

}  // namespace

ReplyReader::ReplyReader(bool is_head_request) : parser_(is_head_request), chunks_(kMostLine) {}

void ReplyReader::reserve(std::size_t size) {
  if (size <= size_) return;
  buffer_ = std::make_unique_for_overwrite<char[]>(size);
  size_ = size;
}

std::span<char> ReplyReader::space() {
  piece_ = std::string_view();
  const bool is_counted = state_ == State::body && parser_.length().has_value();
  const std::uint64_t wanted = is_counted ? left_ : kPieceBytes;
  const bool is_small = state_ == State::head || wanted <= kFirstBytes;
  reserve(is_small ? kFirstBytes : std::min<std::uint64_t>(wanted, kPieceBytes));
  return {buffer_.get(), size_};
}

ReplyReader::State ReplyReader::take(std::size_t bytes) {
  piece_ = std::string_view();
  if (state_ == State::head) {
    take_head(bytes);
  } else {
    take_body(std::span(buffer_.get(), bytes));
  }
  return state_;
}

void ReplyReader::take_head(std::size_t bytes) {
  const auto outcome = parser_.parse(std::string_view(buffer_.get(), bytes));
  if (outcome == ResponseParser::Outcome::malformed) state_ = State::malformed;
  if (outcome != ResponseParser::Outcome::complete) return;
  left_ = parser_.length().value_or(0);
  state_ = parser_.length() == 0U ? State::complete : State::body;
  take_body(std::span(buffer_.get(), bytes).subspan(parser_.consumed()));
}

void ReplyReader::take_body(std::span<char> input) {
  if (input.empty()) return;
  if (state_ != State::body) {
    has_surplus_ = true;
  } else if (parser_.is_chunked()) {
    take_chunks(input);
  } else if (parser_.length()) {
    take_counted(input);
  } else {
    piece_ = std::string_view(input.data(), input.size());
  }
}

void ReplyReader::take_chunks(std::span<char> input) {
  const auto outcome = chunks_.decode(input);
  if (outcome == ChunkDecoder::Outcome::malformed) {
    state_ = State::malformed;
    return;
  }
  piece_ = chunks_.piece();
  if (outcome != ChunkDecoder::Outcome::complete) return;
  state_ = State::complete;
  has_surplus_ = chunks_.consumed() < input.size();
}

void ReplyReader::take_counted(std::span<char> input) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), left_));
  piece_ = std::string_view(input.data(), size);
  left_ -= size;
  if (left_ == 0) state_ = State::complete;
  has_surplus_ = size < input.size();
}

ReplyReader::State ReplyReader::end() {
  piece_ = std::string_view();
  was_ended_ = true;
  const bool is_end_of_body =
      state_ == State::body && !parser_.is_chunked() && !parser_.length().has_value();
  if (state_ != State::complete) state_ = is_end_of_body ? State::complete : State::malformed;
  return state_;
}

bool ReplyReader::can_be_kept() const noexcept {
  return state_ == State::complete && parser_.can_be_kept() && !has_surplus_ && !was_ended_;
}

}  // namespace flowstore::http
