#include "files/s3/address.h"

#include <algorithm>

#include "aws/signer.h"
#include "http/url.h"

namespace flowstore::files::s3 {
namespace {

std::string host_of_aws(const std::string& region) {
  const bool is_china = region.starts_with("cn-");
  return "s3." + region + (is_china ? ".amazonaws.com.cn" : ".amazonaws.com");
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
  const std::string& endpoint = options.endpoint;
  const auto url = http::parse_url(endpoint.empty() ? host_of_aws(options.region) : endpoint);
  if (!url || endpoint.find_first_of("?#@") != std::string::npos) {
    return Error(
        ErrorKind::invalid, "",
        "driver.options.endpoint is no URL such as https://s3.example.org: '" + endpoint + "'");
  }
  Address address;
  address.origin = url->origin;
  address.root = url->target;
  while (address.root.ends_with('/')) address.root.pop_back();
  const bool is_in_path = options.force_path_style || is_ip_address(url->origin.host) ||
                          !fits_host_name(options.bucket);
  if (is_in_path) {
    address.root += "/" + aws::uri_encoded(options.bucket, aws::Slash::encoded);
  } else {
    address.origin.host = options.bucket + "." + url->origin.host;
  }
  address.host = http::host_header(address.origin);
  return address;
}

}  // namespace flowstore::files::s3
