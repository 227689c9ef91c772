// Calls on one open file. All of them block.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "files/preconditions.h"

namespace flowstore::files::localfs {

// What the kernel has at least in one page: a fatal signal ends a write between two of them only.
inline constexpr std::uint64_t kPage = 4096;

// When a file was changed, as this driver sets it: the kernel's own clock for files ticks every few
// milliseconds; entity tags need one that does not stand still between two writes.
struct ModifiedTime {
  static ModifiedTime now();

  std::int64_t nanoseconds = 0;  // since 1970
};

// What is known of an open file. The entity tag is made of inode, size and the time of the last
// change in nanoseconds, which every write of this driver sets with stamp().
FileStat describe(const struct stat& status);

// The same of a file with other numbers than `status` has.
FileStat describe(const struct stat& status, std::uint64_t size, ModifiedTime modified);

// The time of the last change.
std::chrono::system_clock::time_point modified(const struct stat& status);

// Writes all of it; 0 or errno.
int write_all(int file, std::string_view bytes);

// Writes all of it at a place of the file; 0 or errno.
int write_all_at(int file, std::string_view bytes, std::uint64_t offset);

// Reads `size` bytes from the beginning, or what there is; 0 or errno. The first does not wait for
// the disk: EAGAIN if it would have to.
int read_cached(int file, std::uint64_t size, std::string& bytes);
int read_whole(int file, std::uint64_t size, std::string& bytes);

// Copies the whole of one file to the end of another; 0 or errno. By hand: neither copy_file_range
// nor sendfile takes a file that was opened with O_APPEND.
int copy_all(int from, int to);

// A part of an open file.
struct Part {
  int file = -1;
  std::uint64_t at = 0;
  std::uint64_t size = 0;
};

// The same of a part, or of what there is of it.
int copy_part(const Part& from, int to);

// Whether both can be read and hold the same bytes.
bool is_equal(const Part& one, const Part& other);

// Sets the time of the last change; 0 or errno.
int stamp(int file, ModifiedTime time);

// Gives the file the permissions and owner of another, as far as this process may.
void take_attributes(int file, const struct stat& other);

}  // namespace flowstore::files::localfs
