// AppendRecords: appends under way, written down so that a kill leaves no half of one.

#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sys/stat.h>

#include "base/file_descriptor.h"
#include "files/localfs/addition.h"
#include "files/localfs/file_io.h"
#include "files/localfs/outcome.h"
#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// While an append is made that a kill could tear, a file beside the temporary ones says where it
// begins and holds what it adds, or names the temporary file that does: enough for the next start
// to make the rest. Nothing is synced. The kernel keeps a record when the process dies, and what it
// forgets in a power cut nobody relies on. Safe to use from any thread. Everything blocks.
class AppendRecords {
 public:
  // Must outlive it.
  explicit AppendRecords(TempFolder& temp);

  // The append is under way for as long as it lives.
  class Record {
   public:
    Record() = default;
    Record(AppendRecords& records, TempFile file) : records_(&records), file_(std::move(file)) {}
    Record(Record&&) noexcept = default;
    Record& operator=(Record&&) = delete;
    ~Record() {
      if (file_) records_->end(std::move(file_));
    }

   private:
    AppendRecords* records_ = nullptr;
    TempFile file_;
  };

  // To be called before the first byte of the addition is written behind the end of the file that
  // `target` describes. Writes nothing for what no kill can tear. Or the errno why it could not be
  // written: then half of the append could stay, and it must not be begun.
  Outcome<Record> begin(const std::string& path, const struct stat& target,
                        const Addition& addition);

 private:
  TempFile take(int& error);
  void end(TempFile file);

  TempFolder& temp_;
  std::string boot_;
  std::mutex mutex_;
  std::vector<TempFile> idle_;  // guarded by mutex_; to be written over
};

// What a record of a dead process says.
struct UnfinishedAppend {
  std::string path;  // relative to the root
  dev_t device = 0;  // of the file, as its inode is
  ino_t inode = 0;
  std::uint64_t position = 0;  // the end of the file before
  std::uint64_t size = 0;      // of what is added
  ModifiedTime begun;
  FileDescriptor body;  // holds what is added, from here on
  std::uint64_t body_at = 0;
};

// Reads a record in the folder of a process. Nothing if it says nothing, if it was written in
// another run of the machine, or if the file is none. Blocks.
std::optional<UnfinishedAppend> read_append_record(int folder, const std::string& name);

}  // namespace flowstore::files::localfs
