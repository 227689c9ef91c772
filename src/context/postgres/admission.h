// Admission: how many calls may be waiting or under way.

#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

namespace flowstore::context::postgres {

// Bounds what one project, and all of them together, may keep in memory while the database is slow.
// Used on one thread.
class Admission {
 public:
  // Counts as long as it lives.
  class Ticket {
   public:
    Ticket() = default;  // refused
    Ticket(Ticket&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)),
          project_(std::move(other.project_)),
          bytes_(other.bytes_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (admission_ != nullptr) admission_->leave(project_, bytes_);
    }

    explicit operator bool() const noexcept { return admission_ != nullptr; }

   private:
    friend class Admission;
    Ticket(Admission& admission, std::string project, std::size_t bytes)
        : admission_(&admission), project_(std::move(project)), bytes_(bytes) {}

    Admission* admission_ = nullptr;
    std::string project_;
    std::size_t bytes_ = 0;
  };

  // The ticket is false where there is no room. A single call always has, however long it is.
  Ticket enter(const std::string& project, std::size_t bytes) {
    Load& own = projects_[project];
    if (!own.takes(bytes, kProjectCalls, kProjectBytes) || !all_.takes(bytes, kCalls, kBytes)) {
      if (own.calls == 0) projects_.erase(project);
      return {};
    }
    own.add(bytes);
    all_.add(bytes);
    return {*this, project, bytes};
  }

  std::size_t calls() const noexcept { return all_.calls; }

 private:
  struct Load {
    bool takes(std::size_t more, std::size_t most_calls, std::size_t most_bytes) const noexcept {
      return calls == 0 || (calls < most_calls && bytes + more <= most_bytes);
    }
    void add(std::size_t more) noexcept {
      ++calls;
      bytes += more;
    }
    void remove(std::size_t less) noexcept {
      --calls;
      bytes -= less;
    }

    std::size_t calls = 0;
    std::size_t bytes = 0;
  };

  // A project does about a thousand writes a second, one after the other: what stands further back
  // would not be done within the patience of its client. All together do ten times that.
  static constexpr std::size_t kProjectCalls = 2'000;
  static constexpr std::size_t kCalls = 20'000;
  // Of values to be written.
  static constexpr std::size_t kProjectBytes = 32U << 20;
  static constexpr std::size_t kBytes = 128U << 20;

  void leave(const std::string& project, std::size_t bytes) {
    const auto own = projects_.find(project);
    own->second.remove(bytes);
    if (own->second.calls == 0) projects_.erase(own);
    all_.remove(bytes);
  }

  std::unordered_map<std::string, Load> projects_;
  Load all_;
};

}  // namespace flowstore::context::postgres
