#include "auth/platform_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <boost/json.hpp>

namespace flowstore::auth {
namespace {

namespace json = boost::json;

// The statuses after which the old server asks again.
constexpr std::array kPassingStatuses = {408, 413, 429, 500, 502, 503, 504, 521, 522, 524};

bool is_refusal(int status) { return status == 401 || status == 403 || status == 404; }

std::optional<std::uint64_t> to_whole(double number) {
  if (!(number >= 1)) return std::nullopt;
  constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();
  if (number >= static_cast<double>(kLargest)) return kLargest;
  return static_cast<std::uint64_t>(number);
}

// A limit counts where JavaScript calls it true: 0, null and nothing at all mean that there is no
// limit. A number in quotes is the number, as in the old server's comparison.
std::optional<std::uint64_t> read_limit(const json::object& quota, std::string_view name) {
  const json::value* value = quota.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* whole = value->if_int64()) {
    return *whole > 0 ? std::optional<std::uint64_t>(*whole) : std::nullopt;
  }
  if (const std::uint64_t* whole = value->if_uint64()) return *whole;
  if (const double* number = value->if_double()) return to_whole(*number);
  if (const json::string* text = value->if_string()) {
    std::uint64_t whole = 0;
    const char* const end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, whole);
    if (error == std::errc() && stop == end && whole > 0) return whole;
  }
  return std::nullopt;
}

std::optional<Grant> read_grant(std::string_view body) {
  json::error_code error;
  const json::value answer = json::parse(body, error);
  if (error || !answer.is_object()) return std::nullopt;
  Grant grant;
  const json::value* quota = answer.get_object().if_contains("quota");
  if (quota != nullptr && quota->is_object()) {
    grant.file_quota = read_limit(quota->get_object(), "file");
    grant.context_quota = read_limit(quota->get_object(), "context");
  }
  return grant;
}

bool is_passing(int status) {
  return std::find(kPassingStatuses.begin(), kPassingStatuses.end(), status) !=
         kPassingStatuses.end();
}

}  // namespace

PlatformAnswer read_platform_answer(int status, std::string_view body) {
  PlatformAnswer answer;
  if (status >= 200 && status < 300) {
    auto grant = read_grant(body);
    answer.meaning = grant ? Meaning::granted : Meaning::refused;
    if (grant) answer.grant = *std::move(grant);
  } else if (is_refusal(status)) {
    answer.meaning = Meaning::refused;
  } else if (is_passing(status)) {
    answer.meaning = Meaning::try_again;
  }
  return answer;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view header) {
  std::uint32_t count = 0;
  const char* const end = header.data() + header.size();
  const auto [stop, error] = std::from_chars(header.data(), end, count);
  if (header.empty() || error != std::errc() || stop != end) return std::nullopt;
  return std::chrono::seconds(count);
}

}  // namespace flowstore::auth
