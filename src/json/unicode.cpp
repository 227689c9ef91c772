#include "json/unicode.h"

namespace flowstore::json {
namespace {

struct Shape {
  std::size_t length = 0;      // 0: no lead byte
  unsigned char least = 0x80;  // of the second byte
  unsigned char most = 0xBF;
};

// Unicode 15, table 3-7: what may follow a lead byte.
Shape shape_of(unsigned char lead) noexcept {
  if (lead >= 0xC2 && lead <= 0xDF) return {2};
  if (lead == 0xE0) return {3, 0xA0};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3};
  if (lead == 0xF0) return {4, 0x90};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  if (lead >= 0xF1 && lead <= 0xF3) return {4};
  return {};
}

}  // namespace

std::size_t utf8_sequence(std::string_view text, std::size_t& bad) noexcept {
  const Shape shape = shape_of(static_cast<unsigned char>(text.front()));
  bad = 1;
  if (shape.length == 0) return 0;
  for (std::size_t i = 1; i < shape.length; ++i) {
    const auto least = i == 1 ? shape.least : 0x80;
    const auto most = i == 1 ? shape.most : 0xBF;
    const auto byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    if (byte < least || byte > most) {
      bad = i;  // the part that was right so far is replaced as one
      return 0;
    }
  }
  return shape.length;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0U | (code >> 6U));
    byte(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    byte(0xE0U | (code >> 12U));
    byte(0x80U | ((code >> 6U) & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  } else {
    byte(0xF0U | (code >> 18U));
    byte(0x80U | ((code >> 12U) & 0x3FU));
    byte(0x80U | ((code >> 6U) & 0x3FU));
    byte(0x80U | (code & 0x3FU));
  }
}

}  // namespace flowstore::json
