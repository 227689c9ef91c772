#include "http/request_head.h"

#include <algorithm>
#include <optional>

#include "http/header_words.h"

namespace flowstore::http {
namespace {

constexpr std::size_t kUsualBytes = 1024;

Error refused(std::string code, std::string why) {
  return {ErrorKind::invalid, std::move(code), std::move(why)};
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token);
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_field_text);
}

bool is_target(std::string_view text) {
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7f; };
  return text.starts_with('/') && std::all_of(text.begin(), text.end(), is_visible);
}

bool is_clean(const OutgoingRequest& request) {
  return is_name(request.method) && is_target(request.target) &&
         std::all_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
           return is_name(header.first) && is_value(header.second);
         });
}

// What says where a message ends is ours to say.
bool has_framing(const OutgoingRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    return equals_ignoring_case(header.first, "content-length") ||
           equals_ignoring_case(header.first, "transfer-encoding") ||
           equals_ignoring_case(header.first, "connection");
  });
}

// A server may want to hear that there is nothing to come.
bool usually_has_body(std::string_view method) {
  return method == "PUT" || method == "POST" || method == "PATCH";
}

}  // namespace

Result<std::string> make_request_head(const OutgoingRequest& request) {
  if (!is_clean(request)) {
    return refused("control_character",
                   "a control character or the like cannot be sent in a request's head");
  }
  if (has_framing(request)) return refused("framing", "the client frames its requests itself");
  const auto size = request.source != nullptr ? request.source->size()
                                              : std::optional<std::uint64_t>(request.body.size());
  if (!size) return refused("unknown_size", "a body of unknown length cannot be sent");

  std::string head;
  head.reserve(kUsualBytes);
  head.append(request.method).append(" ").append(request.target).append(" HTTP/1.1\r\n");
  for (const auto& [name, value] : request.headers) {
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (*size > 0 || usually_has_body(request.method)) {
    head.append("content-length: ").append(std::to_string(*size)).append("\r\n");
  }
  return head.append("\r\n");
}

}  // namespace flowstore::http
