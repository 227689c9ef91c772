#include "aws/credentials_chain.h"

#include <algorithm>
#include <array>
#include <utility>

namespace flowstore::aws {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Before the end: when new ones are looked for, and when nobody begins with the old ones any more.
constexpr minutes kEarly{5};
constexpr minutes kLate{1};
// A source that fails is not asked by every request.
constexpr seconds kShortestPause{1};
constexpr seconds kLongestPause{30};

struct Source {
  const char* name;
  Task<Result<Credentials>> (*ask)(http::Connector& connector, const SourceOptions& options);
};

constexpr std::array kSources = {
    Source{"environment", &from_environment}, Source{"profile", &from_profile},
    Source{"web identity", &from_web_identity}, Source{"container", &from_container},
    Source{"instance metadata", &from_metadata}};

Error no_credentials(const std::string& reasons) {
  return {ErrorKind::unavailable, "credentials", "there are no AWS credentials: " + reasons};
}

}  // namespace

CredentialsChain::CredentialsChain(SourceOptions options, http::Connector& connector,
                                   Executor background, const Clock& clock, Log& log)
    : options_(std::move(options)),
      connector_(connector),
      background_(std::move(background)),
      clock_(clock),
      log_(log) {}

CredentialsChain::Shared CredentialsChain::current() const {
  const std::lock_guard lock(mutex_);
  return is_refused_ ? nullptr : current_;
}

bool CredentialsChain::lasts(const Credentials& credentials, seconds time) const {
  return !credentials.expires || clock_.wall() + time < *credentials.expires;
}

Task<Result<std::shared_ptr<const Credentials>>> CredentialsChain::get() {
  const Shared now = current();
  if (now && lasts(*now, kEarly)) co_return now;
  if (now && lasts(*now, kLate)) {
    refresh_in_background();
    co_return now;
  }
  const Turn turn = co_await turns_.take("fetch");
  const Shared meanwhile = current();
  if (meanwhile && lasts(*meanwhile, kLate)) co_return meanwhile;
  co_return co_await fetch();
}

Task<Result<CredentialsChain::Shared>> CredentialsChain::fetch() {
  {
    const std::lock_guard lock(mutex_);
    if (clock_.now() < next_try_ && !failure_.empty()) co_return no_credentials(failure_);
  }
  std::string name;
  auto found = co_await ask_sources(name);
  if (!found) co_return give_up(std::move(found).error());
  keep(*std::move(found), name);
  co_return current();
}

void CredentialsChain::keep(Credentials credentials, const std::string& name) {
  bool is_new_source = false;
  {
    const std::lock_guard lock(mutex_);
    current_ = std::make_shared<const Credentials>(std::move(credentials));
    is_new_source = source_ != name;
    source_ = name;
    is_refused_ = false;
    pause_ = kShortestPause;
    failure_.clear();
  }
  if (is_new_source) log_.info("AWS credentials come from: " + name);
}

// Old ones are better than none, as long as they are good.
Result<CredentialsChain::Shared> CredentialsChain::give_up(Error error) {
  const std::lock_guard lock(mutex_);
  next_try_ = clock_.now() + pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
  failure_ = error.message();
  if (current_ && lasts(*current_, seconds(0))) return current_;
  return no_credentials(failure_);
}

// The first source that is set up counts, also if it fails: another one's would be somebody else's.
Task<Result<Credentials>> CredentialsChain::ask_sources(std::string& name) {
  std::string reasons;
  for (const Source& source : kSources) {
    auto found = co_await source.ask(connector_, options_);
    name = source.name;
    if (found) co_return found;
    const Error& error = found.error();
    reasons.append(reasons.empty() ? "" : "; ").append(name).append(": ").append(error.message());
    if (error.kind() != ErrorKind::not_found) break;
  }
  co_return Error(ErrorKind::unavailable, "credentials", reasons);
}

void CredentialsChain::refresh_in_background() {
  {
    const std::lock_guard lock(mutex_);
    if (is_refreshing_ || clock_.now() < next_try_) return;
    is_refreshing_ = true;
  }
  spawn(background_, "refresh credentials", refresh());
}

Task<> CredentialsChain::refresh() {
  const Turn turn = co_await turns_.take("fetch");
  const auto fetched = co_await fetch();
  const std::lock_guard lock(mutex_);
  is_refreshing_ = false;
  static_cast<void>(fetched);
}

void CredentialsChain::refused(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  is_refused_ = current_ && current_->access_key_id == credentials.access_key_id;
}

std::string CredentialsChain::source() const {
  const std::lock_guard lock(mutex_);
  return source_;
}

}  // namespace flowstore::aws
