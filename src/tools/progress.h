// Progress: how far a command is, on a terminal.

#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "base/clock.h"

namespace flowstore::tools {

// One line that is drawn over itself, a few times a second, from the first second on: what is done
// sooner needs none. Gone with clear() and at the end. Used by one thread.
class Progress {
 public:
  // `out` is a terminal; null draws nothing.
  Progress(std::ostream* out, const Clock& clock)
      : out_(out), clock_(clock), next_(clock.now() + kFirst) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  // What is done now ("copying files"), and how many bytes that will be; without a number they are
  // only counted.
  void begin(std::string what, std::optional<std::uint64_t> bytes);
  void add_items(std::uint64_t items);
  void add_bytes(std::uint64_t bytes);

  // Takes the line away, so that something else can be written.
  void clear();

 private:
  static constexpr Clock::Duration kFirst = std::chrono::seconds(1);
  static constexpr Clock::Duration kPause = std::chrono::milliseconds(200);

  void draw();
  std::string line() const;

  std::ostream* out_;
  const Clock& clock_;
  Clock::Instant next_;
  std::string what_;
  std::optional<std::uint64_t> total_;
  std::uint64_t items_ = 0;
  std::uint64_t bytes_ = 0;
  bool is_drawn_ = false;
};

}  // namespace flowstore::tools
