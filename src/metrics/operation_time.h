// OperationTime: how long a store takes for one of its operations.

#pragma once

#include <string_view>

#include "base/clock.h"
#include "metrics/registry.h"

namespace flowstore::metrics {

// A family of histograms with the labels driver and operation. Both texts are literals.
struct OperationFamily {
  std::string_view name;
  std::string_view help;
};

// One operation of one driver. Safe to use from any thread.
class OperationTime {
 public:
  // `clock` and `registry` must outlive it.
  OperationTime(OperationFamily family, std::string_view driver, std::string_view operation,
                const Clock& clock, Registry& registry);

  // Observes the time from its making to its end.
  class Measured {
   public:
    Measured(Histogram& histogram, const Clock& clock)
        : histogram_(&histogram), clock_(clock), started_(clock.now()) {}
    Measured(const Measured&) = delete;
    Measured& operator=(const Measured&) = delete;
    ~Measured() {
      if (histogram_ == nullptr) return;
      histogram_->observe(std::chrono::duration<double>(clock_.now() - started_).count());
    }

    // There was no operation after all.
    void forget() noexcept { histogram_ = nullptr; }

   private:
    Histogram* histogram_;
    const Clock& clock_;
    Clock::Instant started_;
  };

  Measured measure() const { return Measured(histogram_, clock_); }

 private:
  const Clock& clock_;
  Histogram& histogram_;
};

}  // namespace flowstore::metrics
