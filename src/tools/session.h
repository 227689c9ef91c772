// Session: what every command works with.

#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/result.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

namespace flowstore::tools {

// All must outlive the command.
struct Session {
  Interrupt& interrupt;
  Progress& progress;
  Log& log;
  const Clock& clock;

  // Of kind aborted, once somebody has asked to stop. To be asked between two steps.
  Status go_on() const {
    if (!interrupt.is_asked()) return {};
    return Error(ErrorKind::aborted, "interrupted", "interrupted");
  }
};

}  // namespace flowstore::tools
