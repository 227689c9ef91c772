// Archives: tar, compressed with zstd. The only place that knows libarchive.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct archive;

namespace flowstore::tools {

// Writes an archive, entry by entry. Names are bytes, as they are. Used by one thread; blocks.
class ArchiveWriter {
 public:
  // To an open file or pipe, which must outlive the writer.
  static Result<ArchiveWriter> to(int file);

  // Begins a regular file of exactly this size; the bytes follow.
  Status begin(const std::string& name, std::uint64_t size,
               std::chrono::system_clock::time_point modified);
  Status add(std::string_view bytes);
  // Both at once.
  Status put(const std::string& name, std::string_view bytes,
             std::chrono::system_clock::time_point modified);

  // The end of the archive. Without it, readers will find it cut off.
  Status finish();

 private:
  struct Free {
    void operator()(archive* writer) const noexcept;
  };
  explicit ArchiveWriter(archive* writer) : writer_(writer) {}
  Error trouble() const;

  std::unique_ptr<archive, Free> writer_;
};

// An entry of an archive that somebody else may have made.
struct ArchiveEntry {
  ArchiveEntry() = default;

  enum class Kind : std::uint8_t { file, folder, other };
  Kind kind = Kind::other;  // other: links of both kinds, devices, and whatever is not whole bytes
  std::string name;         // as it is in the archive: believe nothing of it
  std::uint64_t size = 0;   // as announced; reading finds out
};

// Reads an archive from front to back; needs little memory whatever is in it. Used by one thread;
// blocks. Errors say at which entry.
class ArchiveReader {
 public:
  static Result<ArchiveReader> open(const std::string& path);

  // The next entry; nothing at the end.
  Result<std::optional<ArchiveEntry>> next();
  // The next bytes of the entry; empty at its end. The view is valid until the next call.
  Result<std::string_view> read();

 private:
  struct Free {
    void operator()(archive* reader) const noexcept;
  };
  ArchiveReader(archive* reader, std::string path);
  Error trouble() const;

  std::unique_ptr<archive, Free> reader_;
  std::string path_;
  std::string where_ = "its beginning";  // the entry, or what it stands behind
  std::string buffer_;
};

}  // namespace flowstore::tools
