// Blocks: reads and writes files.

#include "files/localfs/append_records.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "files/localfs/boot_id.h"

namespace flowstore::files::localfs {
namespace {

constexpr std::uint64_t kMark = 0x3130'5050'4153'4c46;  // "FLSAPP01"
constexpr std::uint64_t kNoMark = 0;

// More than a head with the longest path that the kernel opens.
constexpr std::uint64_t kMostBeforeBytes = 8192;

// What a record begins with; the path follows, and then the bytes that are added. No CRC: only the
// run of the machine that wrote it reads it, and sees every write as it was made.
struct Head {
  std::uint64_t mark = kMark;
  char boot[40] = {};
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t position = 0;
  std::uint64_t size = 0;
  std::int64_t begun = 0;
  char file[24] = {};  // the name of the temporary file; empty where the bytes follow
  std::uint64_t path_length = 0;
};
static_assert(sizeof(Head) == 120);

template <std::size_t Size>
bool put_text(char (&field)[Size], std::string_view text) {
  if (text.size() >= Size) return false;
  std::copy(text.begin(), text.end(), field);
  return true;
}

template <std::size_t Size>
std::string text_of(const char (&field)[Size]) {
  return std::string(field, ::strnlen(field, Size));
}

std::string_view bytes_of(const Head& head) {
  return std::string_view(reinterpret_cast<const char*>(&head), sizeof(head));
}

// A fatal signal ends a write between two pages only.
bool can_be_torn(std::uint64_t position, std::uint64_t size) {
  return size > 0 && position / kPage != (position + size - 1) / kPage;
}

FileDescriptor open_file(int folder, const std::string& name) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  return FileDescriptor(::openat(folder, name.c_str(), flags));
}

bool has_bytes(const FileDescriptor& file, std::uint64_t size) {
  struct stat status {};
  return file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
         static_cast<std::uint64_t>(status.st_size) >= size;
}

}  // namespace

AppendRecords::AppendRecords(TempFolder& temp) : temp_(temp), boot_(boot_id()) {}

Outcome<AppendRecords::Record> AppendRecords::begin(const std::string& path,
                                                    const struct stat& target,
                                                    const Addition& addition) {
  Head head;
  head.device = target.st_dev;
  head.inode = target.st_ino;
  head.position = static_cast<std::uint64_t>(target.st_size);
  head.size = addition.size();
  head.begun = ModifiedTime::now().nanoseconds;
  head.path_length = path.size();
  if (!can_be_torn(head.position, head.size)) return Record();
  const bool fits = put_text(head.boot, boot_) && sizeof(head) + path.size() <= kMostBeforeBytes &&
                    (!addition.is_file() || put_text(head.file, addition.file().name()));
  if (!fits) return Outcome<Record>::failed(ENAMETOOLONG);

  int error = 0;
  TempFile file = take(error);
  std::string text = std::string(bytes_of(head)) + path;
  const std::uint64_t bytes_at = text.size();
  // A call for each costs more than to copy what is short.
  const bool is_short = addition.bytes().size() <= kPage;
  if (is_short) text += addition.bytes();
  if (error == 0 && !is_short) error = write_all_at(file.file(), addition.bytes(), bytes_at);
  if (error == 0) error = write_all_at(file.file(), text, 0);
  if (error != 0) return Outcome<Record>::failed(error);
  return Record(*this, std::move(file));
}

TempFile AppendRecords::take(int& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      TempFile file = std::move(idle_.back());
      idle_.pop_back();
      return file;
    }
  }
  return temp_.create_record(error);
}

// One that can no longer be written is removed, so that it says nothing either.
void AppendRecords::end(TempFile file) {
  const std::string_view nothing(reinterpret_cast<const char*>(&kNoMark), sizeof(kNoMark));
  if (write_all_at(file.file(), nothing, 0) != 0) return;
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(file));
}

std::optional<UnfinishedAppend> read_append_record(int folder, const std::string& name) {
  if (!is_record_name(name)) return std::nullopt;
  FileDescriptor file = open_file(folder, name);
  std::string text;
  if (!file || read_whole(file.get(), kMostBeforeBytes, text) != 0) return std::nullopt;
  Head head;
  if (text.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, text.data(), sizeof(head));
  const std::string boot = boot_id();
  const bool is_sound = head.mark == kMark && !boot.empty() && text_of(head.boot) == boot &&
                        head.path_length <= text.size() - sizeof(head);
  if (!is_sound) return std::nullopt;

  UnfinishedAppend append;
  append.path = text.substr(sizeof(head), static_cast<std::size_t>(head.path_length));
  append.device = head.device;
  append.inode = head.inode;
  append.position = head.position;
  append.size = head.size;
  append.begun.nanoseconds = head.begun;
  const std::string body = text_of(head.file);
  append.body = body.empty() ? std::move(file) : open_file(folder, body);
  append.body_at = body.empty() ? sizeof(head) + head.path_length : 0;
  if (!has_bytes(append.body, append.body_at + append.size)) return std::nullopt;
  return append;
}

}  // namespace flowstore::files::localfs
