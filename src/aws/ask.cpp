#include "aws/ask.h"

#include <chrono>

#include <boost/json.hpp>
#include <pugixml.hpp>

#include "aws/surroundings.h"
#include "http/service_url.h"

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

Task<Result<std::string>> ask(http::Connector& connector, Question question) {
  const auto url = http::parse_service_url(question.url);
  if (!url) co_return failed("'" + question.url + "' is no URL");
  http::OutgoingRequest request;
  request.method = question.method;
  request.target = url->path.empty() ? "/" : url->path;
  // The metadata service tells a list from a document by the slash at its end.
  if (question.url.ends_with('/') && !request.target.ends_with('/')) request.target += '/';
  request.headers = std::move(question.headers);
  request.headers.emplace_back("host", url->host);
  request.body = question.body;
  request.connect_timeout = kConnectTime;
  request.timeout = kTime;
  request.deadline = std::chrono::steady_clock::now() + kTime;
  const auto reply = co_await connector.send(url->origin, std::move(request));
  if (!reply) co_return failed(reply.error().message());
  std::string body;
  while (true) {
    const auto piece = co_await (*reply)->next();
    if (!piece) co_return failed(piece.error().message());
    if (piece->empty()) break;
    if (body.size() + piece->size() > kMostBytes) co_return failed("the answer is too long");
    body.append(*piece);
  }
  const int status = (*reply)->status();
  if (status == 200) co_return body;
  co_return failed(url->host + " answered " + std::to_string(status));
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
