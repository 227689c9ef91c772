#include "api/readiness.h"

#include <utility>

namespace flowstore::api {
namespace {

using std::chrono::seconds;

// Probes of Kubernetes come every 10 s: each finds what the one before has made known, at the
// latest.
constexpr seconds kFresh{10};
// What is not well is looked at more often, so that it is back soon.
constexpr seconds kFreshTrouble{2};
// Longer than any store takes to give up by itself.
constexpr seconds kPatience{5};

constexpr std::string_view kUnknown = "Nothing is known about it yet; ask again.";
constexpr std::string_view kFull = "It has no room left.";

}  // namespace

void Readiness::add(Dependency dependency) {
  auto watched = std::make_unique<Watched>();
  watched->dependency = std::move(dependency);
  watched->since = clock_.wall();
  if (watched->dependency.was_opened) note(*watched, true, clock_.now());
  watched_.push_back(std::move(watched));
}

std::vector<Condition> Readiness::ask(const Executor& executor) {
  const auto now = clock_.now();
  std::vector<Watched*> to_probe;
  std::vector<Condition> found;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& watched : watched_) {
      refresh(*watched);
      if (!wants_probe(*watched, now)) continue;
      watched->asked = now;
      to_probe.push_back(watched.get());
    }
    found = conditions();
  }
  for (Watched* const watched : to_probe) spawn(executor, "readiness", probe(*watched));
  return found;
}

std::vector<Condition> Readiness::known() {
  const std::lock_guard lock(mutex_);
  for (const auto& watched : watched_) refresh(*watched);
  return conditions();
}

// Whoever was heard last is right: a probe says as much as a request.
void Readiness::refresh(Watched& watched) {
  const OutageLog* const outage = watched.dependency.outage;
  const auto latest = outage != nullptr ? outage->latest() : std::nullopt;
  if (latest && latest->at >= watched.heard) note(watched, latest->is_answer, latest->at);
  const auto now = clock_.now();
  if (watched.asked && now - *watched.asked > kPatience) note(watched, false, now);
}

void Readiness::note(Watched& watched, bool is_well, Clock::Instant at) {
  watched.heard = at;
  if (is_well) watched.is_full = false;
  if (watched.is_well == is_well) return;
  watched.is_well = is_well;
  watched.since = clock_.wall();
}

bool Readiness::wants_probe(const Watched& watched, Clock::Instant now) const {
  if (watched.asked) return false;
  if (!watched.is_well) return true;
  return now - watched.heard > (*watched.is_well ? kFresh : kFreshTrouble);
}

std::vector<Condition> Readiness::conditions() const {
  std::vector<Condition> all;
  for (const auto& watched : watched_) {
    Condition one;
    one.name = watched->dependency.name;
    one.driver = watched->dependency.driver;
    one.is_needed = watched->dependency.is_needed;
    one.is_well = watched->is_well;
    one.since = watched->since;
    if (!one.is_well) {
      one.reason = kUnknown;
    } else if (!*one.is_well) {
      one.reason = watched->is_full ? kFull : watched->dependency.complaint;
    }
    all.push_back(one);
  }
  return all;
}

Task<> Readiness::probe(Watched& watched) {
  const Status status = co_await watched.dependency.probe();
  const std::lock_guard lock(mutex_);
  watched.asked.reset();
  watched.is_full = !status && status.error().kind() == ErrorKind::no_space;
  note(watched, status.has_value(), clock_.now());
}

}  // namespace flowstore::api
