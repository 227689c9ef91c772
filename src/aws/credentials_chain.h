// The usual chain of sources, and credentials that are fetched anew before they expire.

#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "aws/credentials.h"
#include "aws/sources.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/task.h"
#include "base/turns.h"
#include "http/connector.h"

namespace flowstore::aws {

// Environment, profile, web identity, container, instance metadata: the order of AWS' library for
// JavaScript; the first that has credentials counts. From five minutes before they expire new ones
// are fetched in the background; while that fails the old ones are used to their end.
class CredentialsChain final : public CredentialsProvider {
 public:
  // References, and what runs on `background`, must outlive it.
  CredentialsChain(SourceOptions options, http::Connector& connector, Executor background,
                   const Clock& clock, Log& log);

  Task<Result<std::shared_ptr<const Credentials>>> get() override;
  void refused(const Credentials& credentials) override;
  std::string source() const override;

 private:
  using Shared = std::shared_ptr<const Credentials>;

  Shared current() const;
  bool lasts(const Credentials& credentials, std::chrono::seconds time) const;
  Task<Result<Shared>> fetch();
  Task<Result<Credentials>> ask_sources(std::string& name);
  Task<> refresh();
  void refresh_in_background();
  void keep(Credentials credentials, const std::string& name);
  Result<Shared> give_up(Error error);

  const SourceOptions options_;
  http::Connector& connector_;
  Executor background_;
  const Clock& clock_;
  Log& log_;
  Turns turns_;
  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  Shared current_;  // null: none yet
  std::string source_;
  bool is_refreshing_ = false;
  bool is_refused_ = false;
  std::chrono::seconds pause_{1};  // after the next failure
  Clock::Instant next_try_{};
  std::string failure_;
};

}  // namespace flowstore::aws
