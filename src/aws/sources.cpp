#include "aws/sources.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aws/ask.h"
#include "aws/signer.h"
#include "http/url.h"

namespace flowstore::aws {
namespace {

Error not_set_up(std::string reason) { return {ErrorKind::not_found, "", std::move(reason)}; }
Error failed(std::string reason) { return {ErrorKind::unavailable, "", std::move(reason)}; }

std::string not_set(const char* variable) { return std::string(variable) + " is not set"; }

struct WebIdentity {
  WebIdentity() = default;

  std::string token_file;
  std::string role;
  std::string session;
};

std::string token_service(const SourceOptions& options) {
  if (auto url = options.environment("AWS_ENDPOINT_URL_STS")) return *std::move(url);
  const bool is_china = options.region.starts_with("cn-");
  return "https://sts." + options.region + (is_china ? ".amazonaws.com.cn" : ".amazonaws.com");
}

// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
Task<Result<Credentials>> assume_role(http::Connector& connector, const SourceOptions& options,
                                      WebIdentity identity) {
  const auto token = read_text(identity.token_file);
  if (!token) co_return failed(token.error().message());
  http::Question question("POST", token_service(options));
  question.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  question.body = canonical_query({{"Action", "AssumeRoleWithWebIdentity"},
                                   {"Version", "2011-06-15"},
                                   {"RoleArn", identity.role},
                                   {"RoleSessionName", identity.session},
                                   {"WebIdentityToken", *token}});
  FLOWSTORE_CO_TRY(const std::string answer, co_await good_answer(connector, std::move(question)));
  co_return read_sts(answer);
}

std::string session_name(const Environment& environment) {
  return environment("AWS_ROLE_SESSION_NAME").value_or("flowstore");
}

// What can be in a profile and is not served here.
std::optional<std::string> unserved(const Profile& profile) {
  constexpr std::array kNames = {"sso_session", "sso_start_url", "credential_process",
                                 "source_profile", "credential_source"};
  for (const char* name : kNames) {
    if (profile.find(name)) return name;
  }
  return std::nullopt;
}

// Others would get the authorization in the clear.
bool may_be_plain(const std::string& host) {
  constexpr std::array kHosts = {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost",
                                 "::1"};
  return host.starts_with("127.") || std::find(kHosts.begin(), kHosts.end(), host) != kHosts.end();
}

Result<std::string> container_token(const Environment& environment) {
  if (const auto file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    return read_text(*file);
  }
  return environment("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
}

}  // namespace

Task<Result<Credentials>> from_environment(http::Connector& /*connector*/,
                                           const SourceOptions& options) {
  const Environment& environment = options.environment;
  // As AWS' library has it: whoever names a profile means that.
  if (environment("AWS_PROFILE")) co_return not_set_up("AWS_PROFILE goes first");
  const auto key = environment("AWS_ACCESS_KEY_ID");
  if (!key) co_return not_set_up(not_set("AWS_ACCESS_KEY_ID"));
  const auto secret = environment("AWS_SECRET_ACCESS_KEY");
  if (!secret) co_return failed(not_set("AWS_SECRET_ACCESS_KEY"));
  Credentials credentials;
  credentials.access_key_id = *key;
  credentials.secret_access_key = Secret(*secret);
  credentials.session_token = environment("AWS_SESSION_TOKEN").value_or("");
  if (const auto expires = environment("AWS_CREDENTIAL_EXPIRATION")) {
    credentials.expires = parse_time(*expires);
  }
  co_return credentials;
}

Task<Result<Credentials>> from_profile(http::Connector& connector, const SourceOptions& options) {
  const Profile profile = load_profile(options.environment);
  if (!profile.is_there) {
    co_return not_set_up("there is no profile " + profile.name + " in " + profile.where);
  }
  const auto key = profile.find("aws_access_key_id");
  const auto secret = profile.find("aws_secret_access_key");
  if (key && secret) {
    Credentials credentials;
    credentials.access_key_id = *key;
    credentials.secret_access_key = Secret(*secret);
    credentials.session_token = profile.find("aws_session_token").value_or("");
    co_return credentials;
  }
  WebIdentity identity;
  identity.token_file = profile.find("web_identity_token_file").value_or("");
  identity.role = profile.find("role_arn").value_or("");
  identity.session = profile.find("role_session_name").value_or(session_name(options.environment));
  if (!identity.token_file.empty() && !identity.role.empty()) {
    co_return co_await assume_role(connector, options, std::move(identity));
  }
  if (const auto name = unserved(profile)) {
    co_return failed(*name +
                     " is not supported; give the profile keys, or a role_arn with a "
                     "web_identity_token_file");
  }
  co_return not_set_up("profile " + profile.name + " in " + profile.where + " has no keys");
}

Task<Result<Credentials>> from_web_identity(http::Connector& connector,
                                            const SourceOptions& options) {
  WebIdentity identity;
  identity.token_file = options.environment("AWS_WEB_IDENTITY_TOKEN_FILE").value_or("");
  identity.role = options.environment("AWS_ROLE_ARN").value_or("");
  identity.session = session_name(options.environment);
  if (identity.token_file.empty()) co_return not_set_up(not_set("AWS_WEB_IDENTITY_TOKEN_FILE"));
  if (identity.role.empty()) co_return failed(not_set("AWS_ROLE_ARN"));
  co_return co_await assume_role(connector, options, std::move(identity));
}

Task<Result<Credentials>> from_container(http::Connector& connector, const SourceOptions& options) {
  const auto relative = options.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = options.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full) {
    co_return not_set_up(not_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
  }
  http::Question question("GET", relative ? options.container_service + *relative : *full);
  const auto url = http::parse_url(question.url);
  if (!url) co_return failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL");
  if (!url->origin.is_tls && !may_be_plain(url->origin.host)) {
    co_return failed("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or of this machine");
  }
  const auto token = container_token(options.environment);
  if (!token) co_return failed(token.error().message());
  if (!token->empty()) question.headers.emplace_back("authorization", *token);
  FLOWSTORE_CO_TRY(const std::string answer, co_await good_answer(connector, std::move(question)));
  co_return read_json(answer);
}

// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
Task<Result<Credentials>> from_metadata(http::Connector& connector, const SourceOptions& options) {
  if (options.environment("AWS_EC2_METADATA_DISABLED") == "true") {
    co_return not_set_up("AWS_EC2_METADATA_DISABLED is true");
  }
  const std::string service =
      options.environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(options.metadata_service);
  http::Question hello("PUT", service + "/latest/api/token");
  hello.headers.emplace_back("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  const auto token = co_await good_answer(connector, std::move(hello));
  if (!token) co_return not_set_up("there is no metadata service: " + token.error().message());
  const std::string roles = service + "/latest/meta-data/iam/security-credentials/";
  http::Question which("GET", roles);
  which.headers.emplace_back("x-aws-ec2-metadata-token", *token);
  FLOWSTORE_CO_TRY(std::string role, co_await good_answer(connector, std::move(which)));
  role.resize(std::min(role.find_first_of("\r\n"), role.size()));
  if (role.empty()) co_return failed("the machine has no role");
  http::Question what("GET", roles + role);
  what.headers.emplace_back("x-aws-ec2-metadata-token", *token);
  FLOWSTORE_CO_TRY(const std::string answer, co_await good_answer(connector, std::move(what)));
  co_return read_json(answer);
}

}  // namespace flowstore::aws
