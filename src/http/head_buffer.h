// HeadBuffer: the bytes of a request head, in one piece.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace flowstore::http {

// Grows with the head and may move when it does; keeps what the client sent ahead of time (the next
// pipelined requests). Offsets count from the beginning of the current request.
class HeadBuffer {
 public:
  char* data() noexcept { return bytes_.data() + start_; }
  std::size_t size() const noexcept { return end_ - start_; }
  std::size_t parsed() const noexcept { return parsed_; }
  std::size_t unparsed() const noexcept { return size() - parsed_; }
  std::span<char> space() noexcept { return std::span(bytes_).subspan(end_); }
  void add(std::size_t bytes) noexcept { end_ += bytes; }
  void set_parsed(std::size_t end) noexcept { parsed_ = end; }

  // Makes room for more; false if the head has become longer than any with `head_bytes` of names
  // and values can be.
  bool grow(std::size_t head_bytes) {
    if (end_ < bytes_.size()) return true;
    if (start_ > 0) {
      std::memmove(bytes_.data(), data(), size());
      end_ = size();
      start_ = 0;
      return true;
    }
    // A header of one byte comes with at most four of framing (": " and CR LF), so this is out of
    // reach for a head that the parser's own count accepts.
    const std::size_t most = 5 * head_bytes + kFirstSize;
    if (bytes_.size() >= most) return false;
    bytes_.resize(std::max(kFirstSize, std::min(most, 2 * bytes_.size())));
    return true;
  }

  // Starts the next request with what was read beyond the last one: what lies behind `request_end`
  // here, or `surplus` from another buffer.
  void keep_surplus(std::size_t request_end, std::string_view surplus) {
    start_ += request_end;
    parsed_ = 0;
    if (!surplus.empty()) {
      start_ = 0;
      if (bytes_.size() < surplus.size()) bytes_.resize(surplus.size());
      std::memcpy(bytes_.data(), surplus.data(), surplus.size());
      end_ = surplus.size();
    }
    if (size() == 0) start_ = end_ = 0;
  }

  // Forgets everything, and gives the memory back if it is more than most heads need.
  void clear() {
    start_ = end_ = parsed_ = 0;
    if (bytes_.size() > kFirstSize) bytes_ = std::vector<char>();
  }

 private:
  // Holds the head of a Node-RED request and the body of a small write.
  static constexpr std::size_t kFirstSize = 16 * 1024;

  std::vector<char> bytes_;
  std::size_t start_ = 0;  // of the current request
  std::size_t end_ = 0;    // of what was read
  std::size_t parsed_ = 0;
};

}  // namespace flowstore::http
