// Any answer of the platform, and any Authorization header. What grants is JSON to our own reader,
// too, and both read the same limits; what does not grant carries no limits.

#include <cmath>
#include <string>

#include "auth/bearer.h"
#include "auth/platform_answer.h"
#include "fuzz.h"
#include "json/number.h"
#include "json/text.h"

using namespace flowstore;
using auth::Meaning;
using fuzz::require;

namespace {

std::string_view member(std::string_view object, std::string_view name) {
  if (object.empty() || json::kind_of(object) != json::Kind::object) return {};
  json::Items members(object);
  while (members.next()) {
    if (members.name() == name) return members.value();
  }
  return {};
}

// The limit by our own reader, as a double; 0: none. Text is read otherwise, and left out.
void compare_limit(const std::optional<std::uint64_t>& limit, std::string_view value) {
  require(!limit || *limit > 0);
  if (value.empty()) return require(!limit);
  switch (json::kind_of(value)) {
    case json::Kind::number: {
      const double number = json::parse_number(value);
      if (number <= 0) return require(!limit);
      if (number >= 0x1p53) return require(limit && *limit >= std::uint64_t{1} << 52U);
      // Of a long fraction Boost.JSON may miss the last bit, which can be at a whole number.
      const auto next = static_cast<std::uint64_t>(std::nextafter(number, 0x1p53));
      const auto previous = static_cast<std::uint64_t>(std::nextafter(number, 0.0));
      const std::uint64_t read = limit.value_or(0);
      return require(read == previous || read == next ||
                     read == static_cast<std::uint64_t>(number));
    }
    case json::Kind::string:
      return require(!limit || !value.empty());
    default:
      return require(!limit || value == "null");  // null: also what was too large for a double
  }
}

void check_success(const auth::PlatformAnswer& answer, std::string_view body) {
  const auto ours = json::canonical_stored(body);
  if (answer.meaning == Meaning::refused) return;
  require(answer.meaning == Meaning::granted);
  require(ours && !ours->had_bad_utf8 && json::kind_of(ours->text) == json::Kind::object);
  const std::string_view quota = member(ours->text, "quota");
  compare_limit(answer.grant.file_quota, member(quota, "file"));
  compare_limit(answer.grant.context_quota, member(quota, "context"));
  require(!answer.grant.team);
}

void check_answer(int status, std::string_view body) {
  const auth::PlatformAnswer answer = auth::read_platform_answer(status, body);
  if (status >= 200 && status < 300) return check_success(answer, body);
  require(answer.grant == auth::Grant());
  require(answer.meaning != Meaning::granted);
  const bool is_about_token = status == 401 || status == 403 || status == 404;
  require((answer.meaning == Meaning::refused) == is_about_token);
}

void check_headers(std::string_view text) {
  if (const auto token = auth::bearer_token(text)) {
    require(!token->empty() && token->find(' ') == std::string_view::npos);
    require("Bearer " + std::string(*token) == text);
    require(token->data() + token->size() == text.data() + text.size());
  }
  if (const auto wait = auth::parse_retry_after(text)) {
    require(auth::parse_retry_after(std::to_string(wait->count())) == wait);
    require(wait->count() >= 0 && text.find_first_not_of("0123456789") == std::string_view::npos);
  }
}

}  // namespace

// The status in two bytes, mostly 200; the body, whose first line is a header, too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int status = data[0] < 128 ? 200 : 100 + data[0] * 256 % 512 + data[1];
  std::string_view body = fuzz::text_of(data, size).substr(2);
  check_answer(status, body);
  check_headers(fuzz::take_line(body));
  return 0;
}
