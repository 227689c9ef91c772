// BadRows: tells the operator of rows that another program left and no client can read.

#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace flowstore::context {

// One line, then silence for a minute: whoever reads the whole project asks again and again. Safe
// to use from any thread.
class BadRows {
 public:
  // Both must outlive it.
  BadRows(Log& log, const Clock& clock) : log_(log), clock_(clock) {}

  // `scope` is the stored form; `reason` says what is wrong with the values.
  void report(std::string_view project, std::string_view scope, std::string_view reason);

 private:
  Log& log_;
  const Clock& clock_;
  std::atomic<std::int64_t> next_line_{INT64_MIN};  // ticks of the clock
  std::atomic<std::uint64_t> silenced_{0};
};

}  // namespace flowstore::context
