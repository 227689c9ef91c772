// Readiness: whether the services behind this one work.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/outage_log.h"
#include "base/result.h"
#include "base/task.h"

namespace flowstore::api {

// One service behind this one.
struct Dependency {
  Dependency() = default;

  std::string_view name;              // "platform", "files", "context"
  std::string_view driver;            // such as "s3"; may be empty
  bool is_needed = true;              // without it requests fail that this service is there for
  bool was_opened = false;            // it has shown already that it works
  std::string_view complaint;         // a sentence for the world, which names no place
  const OutageLog* outage = nullptr;  // what requests find out; may be null
  std::function<Task<Status>()> probe;
};

// What is known about a dependency.
struct Condition {
  Condition() = default;

  std::string_view name;
  std::string_view driver;
  bool is_needed = true;
  std::optional<bool> is_well;                    // nothing is known yet
  std::chrono::system_clock::time_point since{};  // for how long it is like that
  std::string_view reason;                        // of what is not well or not known
};

// Answers at once, from what requests have found out. Where they have found out nothing for a while
// a probe is sent, one at a time however many ask, for those who ask later; one that does not come
// back says that its dependency hangs. Safe to use from any thread.
class Readiness {
 public:
  // The clock must outlive it.
  explicit Readiness(const Clock& clock) : clock_(clock) {}

  // Before anybody asks. What it refers to must outlive this; the order is that of the answers.
  void add(Dependency dependency);

  // Probes run on `executor`, which must be gone before this is.
  std::vector<Condition> ask(const Executor& executor);

  // The same without probes.
  std::vector<Condition> known();

 private:
  struct Watched {
    Dependency dependency;
    std::optional<bool> is_well;
    bool is_full = false;  // why it is not
    std::chrono::system_clock::time_point since{};
    Clock::Instant heard{};
    std::optional<Clock::Instant> asked;  // a probe is under way
  };

  void refresh(Watched& watched);
  void note(Watched& watched, bool is_well, Clock::Instant at);
  bool wants_probe(const Watched& watched, Clock::Instant now) const;
  std::vector<Condition> conditions() const;
  Task<> probe(Watched& watched);

  const Clock& clock_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Watched>> watched_;  // what they hold is guarded by mutex_
};

}  // namespace flowstore::api
