#include "files/s3/address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "aws/signer.h"

namespace flowstore::files::s3 {
namespace {

struct Url {
  Url() = default;

  bool is_tls = true;
  std::string host;  // IPv6 without brackets
  std::string port;  // empty: the usual one
  std::string path;  // without a slash at its end
};

Error bad_endpoint(std::string_view endpoint) {
  return {ErrorKind::invalid, "",
          "driver.options.endpoint is no URL such as https://s3.example.org: '" +
              std::string(endpoint) + "'"};
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '@' || c == '?' || c == '#';
  });
}

// Without a scheme it is taken for https, as the old server's SDK does with a bare host.
Result<Url> parse(std::string_view endpoint) {
  Url url;
  std::string_view rest = endpoint;
  const std::size_t scheme = rest.find("://");
  if (scheme != std::string_view::npos) {
    const std::string_view name = rest.substr(0, scheme);
    if (name != "http" && name != "https") return bad_endpoint(endpoint);
    url.is_tls = name == "https";
    rest.remove_prefix(scheme + 3);
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  url.path = rest.substr(slash);
  while (!url.path.empty() && url.path.back() == '/') url.path.pop_back();
  std::string_view place = rest.substr(0, slash);
  const bool is_bracketed = place.starts_with('[') && place.find(']') != std::string_view::npos;
  const std::size_t name_end = is_bracketed ? place.find(']') + 1 : place.find(':');
  url.host = is_bracketed ? place.substr(1, name_end - 2) : place.substr(0, name_end);
  if (name_end < place.size()) {
    if (place[name_end] != ':') return bad_endpoint(endpoint);
    url.port = place.substr(name_end + 1);
    if (url.port.empty()) return bad_endpoint(endpoint);
  }
  if (url.host.empty() || !is_plain(endpoint)) return bad_endpoint(endpoint);
  return url;
}

Url url_of_aws(const std::string& region) {
  Url url;
  const bool is_china = region.starts_with("cn-");
  url.host = "s3." + region + (is_china ? ".amazonaws.com.cn" : ".amazonaws.com");
  return url;
}

bool is_ip_address(std::string_view host) {
  return host.find(':') != std::string_view::npos ||
         std::all_of(host.begin(), host.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// As the first label of a host's name; with a dot no wildcard certificate would match.
bool fits_host_name(std::string_view bucket) {
  return bucket.size() <= 63 && std::all_of(bucket.begin(), bucket.end(), [](char c) {
           return c == '-' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
         });
}

}  // namespace

std::string Address::path_of(std::string_view key) const {
  return root + "/" + aws::uri_encoded(key, aws::Slash::kept);
}

Result<Address> address_of(const Options& options) {
  Url url = url_of_aws(options.region);
  if (!options.endpoint.empty()) {
    FLOWSTORE_TRY(url, parse(options.endpoint));
  }
  Address address;
  const std::uint16_t usual = url.is_tls ? 443 : 80;
  std::uint16_t port = usual;
  if (!url.port.empty()) {
    const char* const end = url.port.data() + url.port.size();
    const auto parsed = std::from_chars(url.port.data(), end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end || port == 0) {
      return bad_endpoint(options.endpoint);
    }
  }
  const bool is_in_path =
      options.force_path_style || is_ip_address(url.host) || !fits_host_name(options.bucket);
  address.root = url.path;
  if (is_in_path) address.root += "/" + aws::uri_encoded(options.bucket, aws::Slash::encoded);
  const std::string host = is_in_path ? url.host : options.bucket + "." + url.host;
  address.origin = http::Origin(host, port, url.is_tls);
  address.host = host.find(':') != std::string::npos ? "[" + host + "]" : host;
  if (port != usual) address.host += ":" + std::to_string(port);
  return address;
}

}  // namespace flowstore::files::s3
