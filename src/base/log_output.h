// LogOutput: lines on their way to a file descriptor whose reader may be slow or gone.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/file_descriptor.h"

namespace flowstore {

// Collects lines and writes many with one system call. Used by one thread, which has SIGPIPE
// blocked; close() and lost() may be called from any thread.
class LogOutput {
 public:
  // Keeps a duplicate of `descriptor`, so that a standard output that is closed cannot become a
  // data file that gets its number. One that is not open loses every line.
  explicit LogOutput(int descriptor);

  void add(std::string_view line) { buffer_.append(line); }
  bool is_full() const noexcept { return buffer_.size() >= kFullBytes; }

  // Writes all that was added and waits as long as the reader takes. What cannot be written (the
  // reader is gone, the disk is full) is lost.
  void write();

  // False while the latest write lost something.
  bool is_working() const noexcept { return is_working_; }

  // From now on a reader that takes nothing is waited for a second in all.
  void close() noexcept { is_closing_.store(true, std::memory_order_relaxed); }

  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  std::size_t write_some(std::string_view piece);
  bool wait_for_room();

  // What a pipe holds, so that more would only wait here instead of in the queue.
  static constexpr std::size_t kFullBytes = 64 * 1024;

  FileDescriptor descriptor_;
  std::string buffer_;
  bool is_working_ = true;
  int waits_left_ = 10;  // of 100 ms each, counted once is_closing_
  std::atomic<bool> is_closing_{false};
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace flowstore
