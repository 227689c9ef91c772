// Blocks: reads a file of the kernel.

#include "files/localfs/boot_id.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file_descriptor.h"

namespace flowstore::files::localfs {

std::string boot_id() {
  const FileDescriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::string text(36, '\0');
  const ssize_t got = file ? ::read(file.get(), text.data(), text.size()) : 0;
  return got == static_cast<ssize_t>(text.size()) ? text : std::string();
}

}  // namespace flowstore::files::localfs
