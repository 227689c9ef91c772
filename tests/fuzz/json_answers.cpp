// What json::canonical and json::canonical_stored make of one text after the other;
// json_beside_node asks and knows what it should be. A question is a length and a text, an answer
// what is accepted, a length and the stored form; lengths are 4 bytes in the order of the machine.

#include <cstdint>
#include <cstdio>
#include <string>

#include "json/text.h"

using namespace flowstore;

namespace {

constexpr std::uint8_t kIsStored = 1;
constexpr std::uint8_t kIsTaken = 2;
constexpr std::uint8_t kHadBadUtf8 = 4;

bool read_question(std::string& text) {
  std::uint32_t size = 0;
  if (std::fread(&size, sizeof size, 1, stdin) != 1) return false;
  text.resize(size);
  return std::fread(text.data(), 1, size, stdin) == size;
}

void write_answer(std::uint8_t flags, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::fwrite(&flags, 1, 1, stdout);
  std::fwrite(&size, sizeof size, 1, stdout);
  std::fwrite(text.data(), 1, size, stdout);
}

void answer(const std::string& text) {
  const auto stored = json::canonical_stored(text);
  if (!stored) return write_answer(0, "");
  std::uint8_t flags = kIsStored;
  if (json::canonical(text)) flags |= kIsTaken;
  if (stored->had_bad_utf8) flags |= kHadBadUtf8;
  write_answer(flags, stored->text);
}

}  // namespace

int main() {
  std::string text;
  while (read_question(text)) {
    // An empty question: the asker wants all answers now.
    if (text.empty()) {
      std::fflush(stdout);
    } else {
      answer(text);
    }
  }
  return 0;
}
