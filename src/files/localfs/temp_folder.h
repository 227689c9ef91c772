// TempFolder: where bodies wait until they are whole.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace flowstore::files::localfs {

// The team name that no client may use: flowstore's own folder in the root.
inline constexpr std::string_view kOwnFolder = ".flowstore";

// A temporary file of the process. Removed when it dies, unless it was renamed away.
class TempFile {
 public:
  TempFile() = default;
  TempFile(int folder, std::string name, FileDescriptor file)
      : folder_(folder), name_(std::move(name)), file_(std::move(file)) {}
  TempFile(TempFile&& other) noexcept;
  TempFile& operator=(TempFile&& other) noexcept;
  ~TempFile();

  int file() const noexcept { return file_.get(); }
  int folder() const noexcept { return folder_; }
  const char* name() const noexcept { return name_.c_str(); }
  explicit operator bool() const noexcept { return static_cast<bool>(file_); }

  // Its name now belongs to somebody else.
  void forget_name() noexcept { name_.clear(); }

 private:
  void remove() noexcept;

  int folder_ = -1;
  std::string name_;
  FileDescriptor file_;
};

// Whether other flowstores are at work on the root.
enum class Company : std::uint8_t { none, some };

// Looks at the folder of a dead process before everything in it is removed.
using LookAtDead = std::function<void(int folder, Company company)>;

// The name of a record of an append, see append_records.h: no body has such a name.
bool is_record_name(std::string_view name);

// <root>/.flowstore/tmp/<unique>/, locked as long as the process lives. Safe to use from any
// thread.
class TempFolder {
 public:
  // Makes the folder and removes those of processes that are gone. One process at a time does so:
  // nobody starts to work on the root meanwhile. `root_name` is for the message. Blocks.
  static Result<TempFolder> make(int root, const std::string& root_name,
                                 const LookAtDead& look_at_dead = LookAtDead());
  TempFolder(TempFolder&& other) noexcept;
  TempFolder& operator=(TempFolder&&) = delete;
  ~TempFolder();

  // A new empty file, open for reading and writing; errno in `error` if that failed, ESTALE if
  // somebody has removed the folder. Blocks.
  TempFile create(int& error);

  // The same for a record.
  TempFile create_record(int& error);

  // The same in another folder, which must outlive the file. There it can be seen until it is
  // renamed, and nobody removes it after a crash: only for folders on other file systems.
  TempFile create_in(int folder, int& error);

 private:
  TempFolder(FileDescriptor parent, std::string name, FileDescriptor folder, FileDescriptor lock)
      : parent_(std::move(parent)),
        name_(std::move(name)),
        folder_(std::move(folder)),
        lock_(std::move(lock)) {}

  TempFile create_here(std::string name, int& error);
  static TempFile create_as(int folder, std::string name, int& error);

  FileDescriptor parent_;  // <root>/.flowstore/tmp
  std::string name_;
  FileDescriptor folder_;
  FileDescriptor lock_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace flowstore::files::localfs
