#include "aws/signer.h"

#include <algorithm>
#include <ctime>

namespace flowstore::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string_view view_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// "20261123T155744Z"
std::string timestamp(std::chrono::system_clock::time_point now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 20> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return {text.data(), length};
}

// "a;b;c"
std::string names_of(const Headers& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names.append(names.empty() ? "" : ";").append(name);
  return names;
}

std::string canonical_request(const UnsignedRequest& request, const Headers& headers,
                              const std::string& names) {
  std::string text = request.method;
  text.append("\n").append(request.path).append("\n").append(canonical_query(request.query));
  text += '\n';
  for (const auto& [name, value] : headers) {
    text.append(name).append(":").append(value).append("\n");
  }
  return text.append("\n").append(names).append("\n").append(request.payload_hash);
}

}  // namespace

std::string uri_encoded(std::string_view text, Slash slash) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || (c == '/' && slash == Slash::kept)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kDigits[byte >> 4U];
    encoded += kDigits[byte & 15U];
  }
  return encoded;
}

std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<std::string> parts;
  parts.reserve(query.size());
  for (const auto& [name, value] : query) {
    parts.push_back(uri_encoded(name, Slash::encoded) + "=" + uri_encoded(value, Slash::encoded));
  }
  std::sort(parts.begin(), parts.end());
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : "&").append(part);
  return text;
}

Headers Signer::sign(const UnsignedRequest& request, const Credentials& credentials,
                     std::chrono::system_clock::time_point now) const {
  const std::string time = timestamp(now);
  const std::string day = time.substr(0, 8);
  Headers headers = request.headers;
  headers.emplace_back("x-amz-date", time);
  headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!credentials.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  std::sort(headers.begin(), headers.end());

  const std::string names = names_of(headers);
  const std::string scope = day + "/" + region_ + "/s3/aws4_request";
  std::string to_sign(kAlgorithm);
  to_sign.append("\n").append(time).append("\n").append(scope).append("\n");
  to_sign.append(hex(sha256(canonical_request(request, headers, names))));
  const Sha256 key = key_for(credentials, day);
  const std::string signature = hex(hmac_sha256(view_of(key), to_sign));

  std::string authorization(kAlgorithm);
  authorization.append(" Credential=").append(credentials.access_key_id).append("/").append(scope);
  authorization.append(", SignedHeaders=").append(names);
  authorization.append(", Signature=").append(signature);
  headers.emplace_back("authorization", std::move(authorization));
  return headers;
}

Sha256 Signer::key_for(const Credentials& credentials, const std::string& day) const {
  const std::string of = day + credentials.access_key_id;
  {
    const std::lock_guard lock(mutex_);
    if (key_.of == of) return key_.bytes;
  }
  const std::string secret = "AWS4" + std::string(credentials.secret_access_key.reveal());
  Sha256 key = hmac_sha256(secret, day);
  key = hmac_sha256(view_of(key), region_);
  key = hmac_sha256(view_of(key), "s3");
  key = hmac_sha256(view_of(key), "aws4_request");
  const std::lock_guard lock(mutex_);
  key_ = Key{of, key};
  return key;
}

}  // namespace flowstore::aws
