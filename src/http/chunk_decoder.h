// ChunkDecoder: the chunked transfer coding (RFC 9112, section 7.1), strictly.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace flowstore::http {

// Ours and not llhttp's, because llhttp 8.1 skips whatever byte stands where a LF belongs: a proxy
// in front may then see another request than we do. Lines end with CR LF and nothing else, sizes
// are hexadecimal digits and nothing else. Extensions and trailers are checked for form and
// forgotten.
class ChunkDecoder {
 public:
  enum class Outcome : std::uint8_t { need_more, complete, malformed };

  // Sizes and extensions together may have `max_line` bytes more than the content between them has
  // had so far, and all trailers together `max_line` bytes: a body that is framing and next to
  // nothing else has an end, too.
  explicit ChunkDecoder(std::size_t max_line) : max_line_(max_line) {}

  // For the next body.
  void reset();

  // Takes the whole input unless the body ends in it. The decoded bytes are moved together at the
  // front of the input, because framing lies between them.
  Outcome decode(std::span<char> input);

  // The bytes that the last call decoded, at their new place in its input.
  std::string_view piece() const noexcept { return piece_; }

  // Where in the input of the last call the body ended.
  std::size_t consumed() const noexcept { return consumed_; }

 private:
  enum class State : std::uint8_t {
    size_start,       // the first digit
    size,             // a further digit, or what follows them
    extension_start,  // behind ';', where at least one byte must stand
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,  // a trailer, or the empty line that ends the body
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    complete,
  };

  // Takes one byte of framing; false if it may not stand here.
  bool step(char c);
  bool add_digit(char c);
  bool move_to(State state);
  bool count_line_byte();

  std::size_t max_line_;
  std::uint64_t remaining_ = 0;  // bytes of the chunk
  std::size_t line_bytes_ = 0;   // of framing that no content has made up for
  State state_ = State::size_start;
  std::string_view piece_;
  std::size_t consumed_ = 0;
};

}  // namespace flowstore::http
