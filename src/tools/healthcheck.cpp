#include "tools/healthcheck.h"

#include <chrono>
#include <optional>

#include "http/client.h"
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

http::ClientRequest question(std::string url) {
  http::ClientRequest request;
  request.url = std::move(url);
  request.timeout = kPatience;
  request.follow_redirects = false;
  request.stays_here = true;
  return request;
}

}  // namespace

std::string health_url(const config::Config& config) {
  const std::string scheme = config.tls.is_on() ? "https://" : "http://";
  return scheme + loopback_of(config.host) + ":" + std::to_string(config.port) + "/health";
}

Result<std::string> healthcheck(const config::Config& config) {
  const std::string url = health_url(config);
  http::Client client(1);
  const auto response = wait_for(client.get(question(url)));
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
