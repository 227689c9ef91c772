#include "tools/interrupt.h"

#include <ctime>

#include <pthread.h>

namespace flowstore::tools {

Interrupt::Interrupt() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

Interrupt::~Interrupt() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool Interrupt::is_asked() {
  if (is_asked_) return true;
  const timespec now{};
  if (::sigtimedwait(&signals_, nullptr, &now) <= 0) return false;
  is_asked_ = true;
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  return true;
}

}  // namespace flowstore::tools
