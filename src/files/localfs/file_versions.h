// FileVersions: how readers notice that a file is being rewritten in place.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>

namespace flowstore::files::localfs {

// A counter per path, odd while the file is being changed; paths may share one. A reader that found
// the same even number before and after has seen one version. Nobody waits: what blocks a writer
// (a full journal of the file system, say) must not block an event loop. Safe to use from any
// thread.
class FileVersions {
 public:
  using Version = std::uint32_t;

  Version of(std::string_view path) const { return counter(path).load(); }
  static bool is_changing(Version version) { return (version & 1U) != 0; }

  // Returns when no change is under way. Blocks.
  void wait(std::string_view path) const {
    while (is_changing(of(path))) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  // A change, for as long as it lives. One at a time per counter: only the log's thread makes them.
  class Change {
   public:
    Change(FileVersions& versions, std::string_view path) : counter_(versions.counter(path)) {
      ++counter_;
    }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    ~Change() { ++counter_; }

   private:
    std::atomic<Version>& counter_;
  };

 private:
  std::atomic<Version>& counter(std::string_view path) {
    return counters_[std::hash<std::string_view>()(path) % counters_.size()];
  }
  const std::atomic<Version>& counter(std::string_view path) const {
    return counters_[std::hash<std::string_view>()(path) % counters_.size()];
  }

  // 4 KiB; two of a thousand files that change at once rarely share one.
  std::array<std::atomic<Version>, 1024> counters_{};
};

}  // namespace flowstore::files::localfs
