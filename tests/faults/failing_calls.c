// Preloaded into flowstore: makes system calls on files fail as a broken disk would.
//
// FAILING_CALLS names a file of ints, one per call in the order of `enum call`: the errno that the
// call fails with from now on, 0 for none, -1 if it does not come back for as long as that stands
// there. FAILING_UNDER is the folder whose files are meant; logs and sockets are left alone.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum call { call_write, call_sync, call_rename, call_open, call_unlink, call_mkdir, call_truncate, calls };

static volatile int* errors;
static const char* under;

__attribute__((constructor)) static void begin(void) {
  const char* path = getenv("FAILING_CALLS");
  under = getenv("FAILING_UNDER");
  if (path == NULL || under == NULL) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) abort();
  void* map = mmap(NULL, calls * sizeof(int), PROT_READ, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) abort();
  errors = map;
  close(file);
}

static int fail(enum call call) {
  while (errors[call] == -1) usleep(10000);
  errno = errors[call];
  return errno != 0;
}

static int fails_on(enum call call, int fd) {
  if (errors == NULL || errors[call] == 0) return 0;
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  if (strncmp(path, under, strlen(under)) != 0) return 0;
  return fail(call);
}

// Of a path that is opened below a folder's descriptor, or on its own.
static int fails_at(enum call call, int folder, const char* path) {
  if (folder != AT_FDCWD && path[0] != '/') return fails_on(call, folder);
  if (errors == NULL || errors[call] == 0 || strncmp(path, under, strlen(under)) != 0) return 0;
  return fail(call);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void* bytes, size_t count) {
  REAL(write);
  return fails_on(call_write, fd) ? -1 : real(fd, bytes, count);
}
ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  REAL(pwrite64);
  return fails_on(call_write, fd) ? -1 : real(fd, bytes, count, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  REAL(pwrite);
  return fails_on(call_write, fd) ? -1 : real(fd, bytes, count, at);
}
int fsync(int fd) {
  REAL(fsync);
  return fails_on(call_sync, fd) ? -1 : real(fd);
}
int fdatasync(int fd) {
  REAL(fdatasync);
  return fails_on(call_sync, fd) ? -1 : real(fd);
}
int ftruncate64(int fd, off64_t size) {
  REAL(ftruncate64);
  return fails_on(call_truncate, fd) ? -1 : real(fd, size);
}
int renameat(int from, const char* old, int to, const char* fresh) {
  REAL(renameat);
  return fails_at(call_rename, to, fresh) ? -1 : real(from, old, to, fresh);
}
int renameat2(int from, const char* old, int to, const char* fresh, unsigned flags) {
  REAL(renameat2);
  return fails_at(call_rename, to, fresh) ? -1 : real(from, old, to, fresh, flags);
}
int unlinkat(int folder, const char* path, int flags) {
  REAL(unlinkat);
  return fails_at(call_unlink, folder, path) ? -1 : real(folder, path, flags);
}
int mkdirat(int folder, const char* path, mode_t mode) {
  REAL(mkdirat);
  return fails_at(call_mkdir, folder, path) ? -1 : real(folder, path, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  REAL(openat);
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails_at(call_open, folder, path) ? -1 : real(folder, path, flags, mode);
}
