// Calls on one open file. All of them block.

#pragma once

#include <chrono>
#include <string_view>

#include <sys/stat.h>

#include "files/preconditions.h"

namespace flowstore::files::localfs {

// What is known of an open file. The entity tag is made of inode, size and the time of the last
// change in nanoseconds, which every write of this driver sets with stamp().
FileStat describe(const struct stat& status);

// The time of the last change.
std::chrono::system_clock::time_point modified(const struct stat& status);

// Writes all of it; 0 or errno.
int write_all(int file, std::string_view bytes);

// Copies the whole of one file to the end of another; 0 or errno. By hand: neither copy_file_range
// nor sendfile takes a file that was opened with O_APPEND.
int copy_all(int from, int to);

// Sets the time of the last change; 0 or errno. The kernel's own clock for files ticks every few
// milliseconds; entity tags need one that does not stand still between two writes.
int stamp(int file);

// Gives the file the permissions and owner of another, as far as this process may.
void take_attributes(int file, const struct stat& other);

}  // namespace flowstore::files::localfs
