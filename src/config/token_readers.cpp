#include "config/token_readers.h"

#include <algorithm>
#include <cctype>

namespace flowstore::config {
namespace {

// A token travels as `Authorization: Bearer TOKEN`, which has no place for spaces.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

void set_token(const Value& value, Secret token, FixedToken& into) {
  if (is_token(token.reveal())) {
    into.token = std::move(token);
  } else {
    value.reject("is no token; use printable ASCII characters without spaces");
  }
}

}  // namespace

void read_token(const Value& value, FixedToken& into) {
  auto token = value.text();
  if (token) set_token(value, Secret(*std::move(token)), into);
}

void read_token_file(const Value& value, FixedToken& into) {
  auto token = value.secret_in_file();
  if (token) set_token(value, *std::move(token), into);
}

void read_sha256(const Value& value, FixedToken& into) {
  auto digest = value.text();
  if (!digest) return;
  constexpr std::size_t kDigits = 64;
  const auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (digest->size() != kDigits || !std::all_of(digest->begin(), digest->end(), is_hex)) {
    value.reject("is no SHA-256 digest; use the 64 hex digits of `printf %s TOKEN | sha256sum`");
    return;
  }
  std::transform(digest->begin(), digest->end(), digest->begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  into.sha256 = *std::move(digest);
}

}  // namespace flowstore::config
