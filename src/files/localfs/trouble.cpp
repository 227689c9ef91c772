#include "files/localfs/trouble.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "files/file_errors.h"

namespace flowstore::files::localfs {
namespace {

Error cannot_store(int error) {
  const std::string reason = std::generic_category().message(error);
  return Error(ErrorKind::unavailable, "ESTORE",
               "The file store cannot do that right now (" + reason +
                   "). Try again; if it goes on, the operator finds the cause in the log.");
}

}  // namespace

Error Trouble::translate(int error, const FileKey& key, std::string_view operation) {
  switch (error) {
    case ENOENT:
      return no_such_file(key, operation);
    case EISDIR:
      return is_a_directory(key, operation);
    case ENOTDIR:
      return not_a_directory(key, operation);
    case ENAMETOOLONG:
      return name_too_long(key, operation);
    // A symbolic link, a FIFO and the like, a way out of the project, a name that the file system
    // cannot hold: nothing that a client may reach, and no word about what it is.
    case ELOOP:
    case ENXIO:
    case EXDEV:
    case EILSEQ:
      return Error(ErrorKind::invalid, "ENOTDIR", "Invalid Path");
    default:
      return translate(error, key.path(), operation);
  }
}

Error Trouble::translate(int error, std::string_view path, std::string_view operation) {
  report(error, path, operation);
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) return store_is_full();
  return cannot_store(error);
}

void Trouble::report(int error, std::string_view path, std::string_view operation) {
  if (!pace_.lets_through()) return;
  LogFields fields;
  fields.text("operation", operation)
      .text("path", path)
      .text("err", std::generic_category().message(error));
  log_.error("file store: operation failed", fields);
}

}  // namespace flowstore::files::localfs
