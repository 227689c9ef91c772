#include "tools/healthcheck.h"

#include <chrono>
#include <optional>

#include "http/ask.h"
#include "http/trust.h"
#include "tools/wait.h"

namespace flowstore::tools {
namespace {

// Below the 5 s after which Compose and Kubernetes give a probe up, so that the sentence is seen.
constexpr std::chrono::milliseconds kPatience{4000};

std::string loopback_of(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "[::1]";
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? "[" + host + "]" : host;
}

http::Question question_to(const std::string& url) {
  http::Question question("GET", url);
  question.timeout = kPatience;
  return question;
}

}  // namespace

std::string health_url(const config::Config& config) {
  const std::string scheme = config.tls.is_on() ? "https://" : "http://";
  return scheme + loopback_of(config.host) + ":" + std::to_string(config.port) + "/health";
}

Result<std::string> healthcheck(const config::Config& config) {
  const std::string url = health_url(config);
  const http::Trust trust = http::Trust::in_anybody();
  http::Connector connector(trust);
  const auto response = wait_for(http::ask(connector, question_to(url)));
  if (!response) {
    return Error(ErrorKind::unavailable, "healthcheck",
                 url + " does not answer: " + response.error().message() +
                     "; is flowstore running, with this port?");
  }
  if (response->status != 200) {
    return Error(ErrorKind::unavailable, "healthcheck",
                 url + " answers " + std::to_string(response->status) +
                     " where flowstore answers 200; does something else listen there?");
  }
  return url + " answers 200";
}

}  // namespace flowstore::tools
