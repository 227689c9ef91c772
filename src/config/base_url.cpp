#include "config/base_url.h"

#include <algorithm>

#include "config/scalars.h"

namespace flowstore::config {
namespace {

Error wrong(const char* message) { return Error(ErrorKind::invalid, "", message); }

// Position after "http://" or "https://" in any case; npos for anything else.
std::size_t after_scheme(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    const auto is_same = [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    };
    const std::string_view start = url.substr(0, scheme.size());
    if (std::equal(start.begin(), start.end(), scheme.begin(), scheme.end(), is_same)) {
      return scheme.size();
    }
  }
  return std::string_view::npos;
}

// Host and port of "user:password@host:port".
std::string_view without_user(std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  return at == std::string_view::npos ? authority : authority.substr(at + 1);
}

bool is_host_and_port(std::string_view text) {
  // An IPv6 address stands in brackets and holds colons of its own.
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (text.substr(0, colon).empty()) return false;
  if (colon == std::string_view::npos) return true;
  const auto port = parse_whole(text.substr(colon + 1));
  return port && *port >= 1 && *port <= 65535;
}

}  // namespace

Result<std::string> parse_base_url(std::string_view url) {
  constexpr const char* kExample = "is no URL of a platform; use one such as http://forge:3000";
  const std::size_t start = after_scheme(url);
  if (start == std::string_view::npos) return wrong(kExample);
  const auto is_unfit = [](unsigned char c) { return c <= 0x20 || c >= 0x7f || c == '\\'; };
  if (std::any_of(url.begin(), url.end(), is_unfit)) return wrong(kExample);
  if (url.find_first_of("?#") != std::string_view::npos) {
    return wrong("has a query or fragment; end it before the ? or #");
  }
  const std::string_view authority = url.substr(start, url.find('/', start) - start);
  if (!is_host_and_port(without_user(authority))) return wrong(kExample);
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::string without_credentials(std::string_view url) {
  const std::size_t slashes = url.find("//");
  const std::size_t start = slashes == std::string_view::npos ? 0 : slashes + 2;
  // Up to the last @: a mistyped password may hold slashes.
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos || at < start) return std::string(url);
  return std::string(url.substr(0, start)) + "***" + std::string(url.substr(at));
}

}  // namespace flowstore::config
