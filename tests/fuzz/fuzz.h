// What all fuzz targets need.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace flowstore::fuzz {

// A promise that the input must not be able to break; libFuzzer keeps the input that does.
inline void require(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: the promise is broken\n", file, line);
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return std::string_view(reinterpret_cast<const char*>(data), size);
}

// Every byte as %XX.
inline std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
  }
  return out;
}

// Takes the first line off the text; what is returned is without its end.
inline std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

// The sizes of the pieces in which the network brings an input: its own first bytes.
class Cuts {
 public:
  static constexpr std::size_t kCount = 4;

  // Takes them off the input, which has as many bytes.
  explicit Cuts(std::string_view& input) : sizes_(input.substr(0, kCount)) {
    input.remove_prefix(kCount);
  }

  // At least 1.
  std::size_t next() {
    return std::size_t{1} + static_cast<unsigned char>(sizes_[turn_++ % sizes_.size()]);
  }

 private:
  std::string_view sizes_;
  std::size_t turn_ = 0;
};

}  // namespace flowstore::fuzz
