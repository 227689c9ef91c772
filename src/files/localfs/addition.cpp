// Blocks: writes and copies files.

#include "files/localfs/addition.h"

#include <algorithm>

#include "base/crash_point.h"
#include "files/localfs/file_io.h"

namespace flowstore::files::localfs {

int Addition::write_to(int target, std::uint64_t end) const {
  if (is_file()) return copy_all(file_.file(), target);
  std::string_view rest = bytes_;
  if (kHasCrashPoints) {
    // Tests let the process die where a kill stops the kernel in the midst of a write.
    const std::string_view piece = rest.substr(0, kPage - end % kPage);
    if (const int error = write_all(target, piece)) return error;
    rest.remove_prefix(piece.size());
    crash_point(CrashPoint::append_piece_written);
  }
  return write_all(target, rest);
}

}  // namespace flowstore::files::localfs
