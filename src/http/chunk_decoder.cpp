#include "http/chunk_decoder.h"

#include <algorithm>
#include <cstring>

#include "http/header_words.h"

namespace flowstore::http {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// No blank: nobody sends one here, and Node.js refuses it too.
bool is_extension(char c) noexcept { return c > ' ' && c < 0x7f; }

}  // namespace

void ChunkDecoder::reset() {
  remaining_ = 0;
  line_bytes_ = 0;
  state_ = State::size_start;
  piece_ = std::string_view();
  consumed_ = 0;
}

ChunkDecoder::Outcome ChunkDecoder::decode(std::span<char> input) {
  std::size_t at = 0;
  std::size_t decoded = 0;
  while (at < input.size() && state_ != State::complete) {
    if (state_ != State::data) {
      if (!step(input[at++])) return Outcome::malformed;
      continue;
    }
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size() - at));
    if (decoded != at) std::memmove(input.data() + decoded, input.data() + at, count);
    at += count;
    decoded += count;
    remaining_ -= count;
    line_bytes_ -= std::min(line_bytes_, count);
    if (remaining_ == 0) state_ = State::data_cr;
  }
  piece_ = std::string_view(input.data(), decoded);
  consumed_ = at;
  return state_ == State::complete ? Outcome::complete : Outcome::need_more;
}

bool ChunkDecoder::step(char c) {
  switch (state_) {
    case State::size_start:
      return add_digit(c) && move_to(State::size);
    case State::size:
      if (c == '\r') return move_to(State::size_lf);
      if (c == ';') return move_to(State::extension_start);
      return add_digit(c);
    case State::extension_start:
      return is_extension(c) && move_to(State::extension);
    case State::extension:
      if (c == '\r') return move_to(State::size_lf);
      return is_extension(c) && count_line_byte();
    case State::size_lf:
      if (remaining_ == 0) line_bytes_ = 0;
      return c == '\n' && move_to(remaining_ > 0 ? State::data : State::trailer_start);
    case State::data_cr:
      return c == '\r' && move_to(State::data_lf);
    case State::data_lf:
      return c == '\n' && move_to(State::size_start);
    case State::trailer_start:
      if (c == '\r') return move_to(State::end_lf);
      return is_token(c) && count_line_byte() && move_to(State::trailer_name);
    case State::trailer_name:
      if (c == ':') return move_to(State::trailer_value);
      return is_token(c) && count_line_byte();
    case State::trailer_value:
      if (c == '\r') return move_to(State::trailer_lf);
      return is_field_text(c) && count_line_byte();
    case State::trailer_lf:
      return c == '\n' && move_to(State::trailer_start);
    case State::end_lf:
      return c == '\n' && move_to(State::complete);
    case State::data:
    case State::complete:
      break;
  }
  return false;
}

bool ChunkDecoder::add_digit(char c) {
  const int value = hex_value(c);
  if (value < 0 || (remaining_ >> 60) != 0) return false;
  remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(value);
  // Leading zeros add nothing to the size and would go on for ever.
  return count_line_byte();
}

bool ChunkDecoder::move_to(State state) {
  state_ = state;
  return true;
}

bool ChunkDecoder::count_line_byte() { return ++line_bytes_ < max_line_; }

}  // namespace flowstore::http
