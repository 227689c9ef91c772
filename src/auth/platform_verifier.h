// PlatformVerifier: asks the FlowFuse platform about a token.

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "auth/token_verifier.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/outage_log.h"
#include "http/ask.h"
#include "metrics/registry.h"

namespace flowstore::auth {

// One question is one GET {base_url}/account/check/project/{project}, tried up to three times
// inside one budget of time. Remembers nothing; see CachingVerifier.
class PlatformVerifier final : public TokenVerifier {
 public:
  // All references must outlive this. `base_url` may have a path; a slash at its end is dropped.
  // `budget` is the time for one question, with all tries and pauses.
  PlatformVerifier(http::Connector& connector, std::string_view base_url,
                   std::chrono::milliseconds budget, const Clock& clock, Log& log,
                   metrics::Registry& registry);

  Task<Result<Grant>> verify(std::string_view project, std::string_view token) override;

  // Asks once, with no token: a platform that works refuses that. For readiness.
  Task<Status> probe();
  // What questions find out about that anyway.
  const OutageLog& outage() const noexcept { return outage_log_; }

 private:
  http::Question question_about(std::string_view project) const;
  Task<Result<Grant>> ask(http::Question question);

  http::Connector& connector_;
  const std::string check_url_;  // of a project's check, up to the project
  const std::chrono::milliseconds budget_;
  const Clock& clock_;
  OutageLog outage_log_;
  metrics::Histogram& duration_;
  metrics::Counter& granted_;
  metrics::Counter& refused_;
  metrics::Counter& unavailable_;
};

// As JavaScript's encodeURIComponent; bytes that are no UTF-8 are encoded one by one.
std::string encode_uri_component(std::string_view text);

}  // namespace flowstore::auth
