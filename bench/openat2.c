// openat2 for a process under Valgrind, which on Debian 12 does not know that call: preloaded by
// script/bench instructions. Only what flowstore does around the call is counted, so what the call
// promises about links is left out.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>

long syscall(long number, ...) {
  long arguments[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; ++i) arguments[i] = va_arg(list, long);
  va_end(list);
  if (number == SYS_openat2) {
    const struct open_how* how = (const struct open_how*)arguments[2];
    return openat((int)arguments[0], (const char*)arguments[1], (int)how->flags, (mode_t)how->mode);
  }
  long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}
