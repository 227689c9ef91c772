// Blocks: reads and writes files.

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/localfs/beneath.h"
#include "files/localfs/file_io.h"
#include "files/localfs/listing.h"
#include "tools/file_side.h"

namespace flowstore::tools {
namespace {

using files::FileKey;
using files::localfs::Beneath;
using files::localfs::Opened;

Error trouble(const FileKey& key, int error) {
  const ErrorKind kind = error == ENOENT                      ? ErrorKind::not_found
                         : error == EISDIR                    ? ErrorKind::is_directory
                         : error == ENOSPC || error == EDQUOT ? ErrorKind::no_space
                                                              : ErrorKind::unavailable;
  return Error(kind, "ETREE",
               std::string(key.relative()) + ": " + std::generic_category().message(error));
}

// A file that is being written, in the folder where it will be. Removed when it dies, unless it has
// got its name.
class Draft {
 public:
  Draft(FileDescriptor folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_ = FileDescriptor(::openat(folder_.get(), name_.c_str(), kFlags, 0666));
    if (!file_) error_ = errno;
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (file_ && !name_.empty()) ::unlinkat(folder_.get(), name_.c_str(), 0);
  }

  int error() const noexcept { return error_; }
  int file() const noexcept { return file_.get(); }

  // 0 or errno.
  int publish(const std::string& name) {
    if (::fdatasync(file_.get()) != 0) return errno;
    if (::renameat(folder_.get(), name_.c_str(), folder_.get(), name.c_str()) != 0) return errno;
    name_.clear();
    return ::fsync(folder_.get()) == 0 ? 0 : errno;
  }

 private:
  FileDescriptor folder_;
  std::string name_;
  FileDescriptor file_;
  int error_ = 0;
};

class TreeSide final : public FileSide {
 public:
  TreeSide(FileDescriptor folder, files::ProjectKey project)
      : root_(std::move(folder)), project_(std::move(project)) {}

  Task<Result<std::vector<files::ProjectKey>>> projects() override {
    co_return std::vector<files::ProjectKey>(1, project_);
  }

  Task<Result<files::Listing>> list(const FileKey& folder,
                                    const files::ListOptions& options) override {
    files::Listing listing;
    const std::string path = folder.relative().empty() ? "." : std::string(folder.relative());
    const int error = files::localfs::list_folder(root_, path, options, listing);
    if (error != 0) co_return trouble(folder, error);
    co_return listing;
  }

  Task<Result<files::OpenFile>> open(const FileKey& key) override {
    struct stat status {};
    FLOWSTORE_CO_TRY(Opened opened, open_file(key, O_RDONLY | O_NONBLOCK | O_NOCTTY, status));
    files::OpenFile file;
    file.stat = files::localfs::describe(status);
    file.content = Content(Content::File(std::move(opened.file), file.stat.size));
    co_return file;
  }

  Task<Result<std::optional<files::FileStat>>> find(const FileKey& key) override {
    struct stat status {};
    const auto opened = open_file(key, O_PATH, status);
    if (opened) co_return std::optional(files::localfs::describe(status));
    if (opened.error().kind() != ErrorKind::not_found) co_return opened.error();
    co_return std::optional<files::FileStat>();
  }

  Task<Status> put(const FileKey& key, ByteSource& body,
                   std::optional<files::FileStat> /*found*/) override {
    const auto [parent, name] = files::localfs::split_path(key.relative());
    Opened folder = make_folders(parent);
    if (folder.error != 0) co_return trouble(key, folder.error);
    Draft draft(std::move(folder.file),
                ".flowstore-" + std::to_string(::getpid()) + "-" + std::to_string(++drafts_));
    if (draft.error() != 0) co_return trouble(key, draft.error());
    while (true) {
      FLOWSTORE_CO_TRY(const std::string_view piece, co_await body.next());
      if (piece.empty()) break;
      const int error = files::localfs::write_all(draft.file(), piece);
      if (error != 0) co_return trouble(key, error);
    }
    const int error = draft.publish(std::string(name));
    if (error != 0) co_return trouble(key, error);
    co_return Status();
  }

 private:
  Result<Opened> open_file(const FileKey& key, int flags, struct stat& status) const {
    Opened opened = root_.open(key.relative(), flags);
    int error = opened.error;
    if (error == 0 && ::fstat(opened.file.get(), &status) != 0) error = errno;
    if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
    if (error == 0 && !S_ISREG(status.st_mode)) error = ELOOP;
    if (error != 0) return trouble(key, error);
    return opened;
  }

  // The folder, after making what is missing of it.
  Opened make_folders(std::string_view path) const {
    constexpr int kFolder = O_RDONLY | O_DIRECTORY;
    Opened at = root_.open(".", kFolder);
    for (std::size_t end = 0; at.error == 0 && end < path.size();) {
      const std::size_t begin = end == 0 ? 0 : end + 1;
      end = std::min(path.find('/', begin), path.size());
      const std::string part(path.substr(begin, end - begin));
      if (::mkdirat(at.file.get(), part.c_str(), 0777) != 0 && errno != EEXIST) {
        return Opened(FileDescriptor(), errno);
      }
      ::fsync(at.file.get());
      at = root_.open(path.substr(0, end), kFolder);
    }
    return at;
  }

  Beneath root_;
  files::ProjectKey project_;
  std::uint64_t drafts_ = 0;
};

}  // namespace

Result<std::unique_ptr<FileSide>> tree_side(const std::string& folder, files::ProjectKey project) {
  FileDescriptor root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    return Error(ErrorKind::unavailable, "ETREE",
                 folder + ": " + std::generic_category().message(errno) +
                     "; name the folder that holds the project's files");
  }
  return std::unique_ptr<FileSide>(std::make_unique<TreeSide>(std::move(root), std::move(project)));
}

}  // namespace flowstore::tools
