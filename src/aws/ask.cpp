#include "aws/ask.h"

#include <chrono>

#include <boost/json.hpp>
#include <pugixml.hpp>

#include "aws/surroundings.h"
#include "http/url.h"

namespace flowstore::aws {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kTime{2000};
// A machine without such a service is not to wait for it.
constexpr std::chrono::milliseconds kConnectTime{1000};
constexpr std::size_t kMostBytes = 256U << 10;

Error failed(std::string reason) {
  return {ErrorKind::unavailable, "credentials", std::move(reason)};
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string());
}

Result<Credentials> complete(Credentials credentials, const std::string& expires) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return failed("the answer holds no credentials");
  }
  credentials.expires = parse_time(expires);
  return credentials;
}

}  // namespace

Task<Result<std::string>> good_answer(http::Connector& connector, http::Question question) {
  const auto url = http::parse_url(question.url);
  if (!url) co_return failed("'" + question.url + "' is no URL");
  question.timeout = kTime;
  question.connect_timeout = kConnectTime;
  question.max_body_bytes = kMostBytes;
  auto answer = co_await http::ask(connector, std::move(question));
  if (!answer) co_return failed(answer.error().message());
  if (answer->status == 200) co_return std::move(answer->body);
  co_return failed(http::host_header(url->origin) + " answered " + std::to_string(answer->status));
}

Result<Credentials> read_json(std::string_view text) {
  json::error_code error;
  const json::value answer = json::parse(text, error);
  if (error || !answer.is_object()) return failed("the answer is no JSON");
  const json::object& object = answer.get_object();
  Credentials credentials;
  credentials.access_key_id = text_at(object, "AccessKeyId");
  credentials.secret_access_key = Secret(text_at(object, "SecretAccessKey"));
  credentials.session_token = text_at(object, "Token");
  return complete(std::move(credentials), text_at(object, "Expiration"));
}

Result<Credentials> read_sts(std::string_view xml) {
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node found =
      document.document_element().child("AssumeRoleWithWebIdentityResult").child("Credentials");
  if (!parsed || !found) return failed("the answer of the token service cannot be read");
  Credentials credentials;
  credentials.access_key_id = found.child_value("AccessKeyId");
  credentials.secret_access_key = Secret(found.child_value("SecretAccessKey"));
  credentials.session_token = found.child_value("SessionToken");
  return complete(std::move(credentials), found.child_value("Expiration"));
}

}  // namespace flowstore::aws
