// Addition: what an append adds to a file.

#pragma once

#include <cerrno>
#include <cstdint>
#include <string_view>

#include "files/localfs/temp_folder.h"

namespace flowstore::files::localfs {

// The errno of an append that would make a file longer than it may become; no system call that is
// made here has it.
inline constexpr int kTooLong = E2BIG;

// Bytes, or the whole of a temporary file, which goes with it.
class Addition {
 public:
  // The bytes must outlive it.
  explicit Addition(std::string_view bytes) : bytes_(bytes), size_(bytes.size()) {}
  Addition(TempFile file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  std::uint64_t size() const noexcept { return size_; }
  bool is_file() const noexcept { return static_cast<bool>(file_); }
  std::string_view bytes() const noexcept { return bytes_; }
  TempFile& file() noexcept { return file_; }
  const TempFile& file() const noexcept { return file_; }

  // Writes all of it to the end of a file of that size; 0 or errno. Blocks.
  int write_to(int target, std::uint64_t end) const;

 private:
  std::string_view bytes_;
  TempFile file_;
  std::uint64_t size_;
};

}  // namespace flowstore::files::localfs
