// OperationTimes: how long the store takes, per operation.

#pragma once

#include <string_view>

#include "base/clock.h"
#include "metrics/registry.h"

namespace flowstore::files {

// The family flowstore_storage_operation_duration_seconds. Safe to use from any thread.
class OperationTimes {
 public:
  // Both must outlive it. `driver` is the store's name.
  OperationTimes(std::string_view driver, const Clock& clock, metrics::Registry& registry);

  // Observes the time from its making to its end.
  class Measured {
   public:
    Measured(metrics::Histogram& histogram, const Clock& clock)
        : histogram_(histogram), clock_(clock), started_(clock.now()) {}
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured() {
      histogram_.observe(std::chrono::duration<double>(clock_.now() - started_).count());
    }

   private:
    metrics::Histogram& histogram_;
    const Clock& clock_;
    Clock::Instant started_;
  };

  Measured open() const { return Measured(open_, clock_); }
  Measured receive() const { return Measured(receive_, clock_); }  // with the client's time
  Measured commit() const { return Measured(commit_, clock_); }
  Measured remove() const { return Measured(remove_, clock_); }
  Measured list() const { return Measured(list_, clock_); }

 private:
  const Clock& clock_;
  metrics::Histogram& open_;
  metrics::Histogram& receive_;
  metrics::Histogram& commit_;
  metrics::Histogram& remove_;
  metrics::Histogram& list_;
};

}  // namespace flowstore::files
