#include "http/url.h"

#include <algorithm>
#include <charconv>

#include "http/header_words.h"

namespace flowstore::http {
namespace {

constexpr std::string_view kMark = "://";

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view before(std::string_view text, char end) {
  return text.substr(0, std::min(text.find(end), text.size()));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port == 0) return std::nullopt;
  return port;
}

// "host", "host:port", "[::1]:port"
bool parse_place(std::string_view place, Origin& origin) {
  const bool is_bracketed = place.starts_with('[') && place.find(']') != std::string_view::npos;
  const std::size_t end =
      std::min(is_bracketed ? place.find(']') + 1 : place.find(':'), place.size());
  origin.host = is_bracketed ? place.substr(1, end - 2) : place.substr(0, end);
  if (origin.host.empty() || origin.host.find('[') != std::string::npos) return false;
  if (end == place.size()) return true;
  if (place[end] != ':') return false;
  const auto port = parse_port(place.substr(end + 1));
  if (port) origin.port = *port;
  return port.has_value();
}

// "mailto:", not "/a:b".
bool has_scheme(std::string_view location) {
  const std::size_t end = location.find_first_of(":/?");
  return end != std::string_view::npos && location[end] == ':';
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
  if (!is_visible(text)) return std::nullopt;
  Url url;
  text = before(text, '#');
  if (const std::size_t end = text.find(kMark); end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, end);
    url.origin.is_tls = equals_ignoring_case(scheme, "https");
    if (!url.origin.is_tls && !equals_ignoring_case(scheme, "http")) return std::nullopt;
    text.remove_prefix(end + kMark.size());
  }
  url.origin.port = url.origin.is_tls ? 443 : 80;
  std::string_view place = text.substr(0, std::min(text.find_first_of("/?"), text.size()));
  url.target = text.substr(place.size());
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  // A user's name may hold what it should not.
  place.remove_prefix(place.rfind('@') + 1);
  if (!parse_place(place, url.origin)) return std::nullopt;
  return url;
}

std::optional<Url> resolve(const Url& base, std::string_view location) {
  if (!is_visible(location)) return std::nullopt;
  if (location.starts_with("//")) {
    return parse_url(std::string(base.origin.is_tls ? "https:" : "http:").append(location));
  }
  if (has_scheme(location)) {
    const bool is_whole = location.substr(location.find(':')).starts_with(kMark);
    return is_whole ? parse_url(location) : std::nullopt;
  }
  location = before(location, '#');
  Url url = base;
  if (location.empty()) return url;
  std::string_view path = before(base.target, '?');
  if (location.front() != '?') path = path.substr(0, path.rfind('/') + 1);
  if (location.front() == '/') path = std::string_view();
  url.target = std::string(path).append(location);
  return url;
}

std::string host_header(const Origin& origin) {
  const bool is_ipv6 = origin.host.find(':') != std::string::npos;
  std::string host = is_ipv6 ? "[" + origin.host + "]" : origin.host;
  const std::uint16_t usual = origin.is_tls ? 443 : 80;
  if (origin.port != usual) host += ":" + std::to_string(origin.port);
  return host;
}

}  // namespace flowstore::http
