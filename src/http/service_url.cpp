#include "http/service_url.h"

#include <algorithm>
#include <charconv>

namespace flowstore::http {
namespace {

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '@' || c == '#';
  });
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
  if (origin.host.empty() || origin.host.find_first_of("[?") != std::string::npos) return false;
  if (end == place.size()) return true;
  if (place[end] != ':') return false;
  const auto port = parse_port(place.substr(end + 1));
  if (port) origin.port = *port;
  return port.has_value();
}

}  // namespace

std::optional<ServiceUrl> parse_service_url(std::string_view text) {
  if (!is_plain(text)) return std::nullopt;
  ServiceUrl url;
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view name = text.substr(0, scheme);
    if (name != "http" && name != "https") return std::nullopt;
    url.origin.is_tls = name == "https";
    text.remove_prefix(scheme + 3);
  }
  url.origin.port = url.origin.is_tls ? 443 : 80;
  const std::size_t slash = std::min(text.find('/'), text.size());
  url.path = text.substr(slash);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  if (!parse_place(text.substr(0, slash), url.origin)) return std::nullopt;
  url.host = host_header(url.origin);
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
