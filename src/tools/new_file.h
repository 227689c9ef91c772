// NewFile: a file that appears when it is whole.

#pragma once

#include <string>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace flowstore::tools {

// Written under a name of its own beside the wanted one; removed when it dies, unless it was
// published. Readable by its owner only. Blocks.
class NewFile {
 public:
  // Fails in one sentence if there is such a file already.
  static Result<NewFile> make(const std::string& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  int file() const noexcept { return file_.get(); }

  // Gives it its name, for good: it survives a power cut. Fails if the name was taken meanwhile.
  Status publish();

 private:
  NewFile(std::string path, std::string own, FileDescriptor file)
      : path_(std::move(path)), own_(std::move(own)), file_(std::move(file)) {}

  std::string path_;
  std::string own_;  // empty: it has its name
  FileDescriptor file_;
};

}  // namespace flowstore::tools
