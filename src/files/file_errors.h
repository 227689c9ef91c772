// The errors that every driver answers alike, in the words of the old server: Node.js' own messages
// with the path as the client sent it.

#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "files/file_key.h"

namespace flowstore::files {

// `operation` is the system call that Node.js names: "open", "unlink", "scandir".
inline Error no_such_file(const FileKey& key, std::string_view operation) {
  return Error(ErrorKind::not_found, "ENOENT",
               "ENOENT: no such file or directory, " + std::string(operation) + " '" +
                   std::string(key.sent()) + "'");
}

// A read of a folder as if it were a file: "EISDIR: illegal operation on a directory, read".
inline Error is_a_directory(std::string_view operation) {
  return Error(ErrorKind::is_directory, "EISDIR",
               "EISDIR: illegal operation on a directory, " + std::string(operation));
}

// The same where the message names the path.
inline Error is_a_directory(const FileKey& key, std::string_view operation) {
  return Error(ErrorKind::is_directory, "EISDIR",
               "EISDIR: illegal operation on a directory, " + std::string(operation) + " '" +
                   std::string(key.sent()) + "'");
}

// A path that goes on below a file.
inline Error not_a_directory(const FileKey& key, std::string_view operation) {
  return Error(
      ErrorKind::invalid, "ENOTDIR",
      "ENOTDIR: not a directory, " + std::string(operation) + " '" + std::string(key.sent()) + "'");
}

// A segment of more than 255 bytes, or a path that the store cannot hold.
inline Error name_too_long(const FileKey& key, std::string_view operation) {
  return Error(ErrorKind::invalid, "ENAMETOOLONG",
               "ENAMETOOLONG: name too long, " + std::string(operation) + " '" +
                   std::string(key.sent()) + "'");
}

inline Error store_is_full() {
  return Error(ErrorKind::no_space, "ENOSPC", "ENOSPC: no space left on device, write");
}

}  // namespace flowstore::files
