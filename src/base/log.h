// Log: one JSON object per line on standard output, in the shape of the FlowFuse file server.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace flowstore {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, fatal, silent };

// "info" as in logging.level; nothing for any other word.
std::optional<LogLevel> parse_log_level(std::string_view name);

// How lines look: `json` for machines, `pretty` ("[time] LEVEL: message {fields}") for people.
enum class LogFormat : std::uint8_t { json, pretty };

// The fields of one line, already JSON: `"reqId":"req-1","req":{...}`. Built by appending.
class LogFields {
 public:
  LogFields& text(std::string_view name, std::string_view value);  // escaped as JSON
  LogFields& number(std::string_view name, std::int64_t value);
  LogFields& decimal(std::string_view name, double value);
  // `json` must be valid JSON without a line feed.
  LogFields& raw(std::string_view name, std::string_view json);
  // What is added between the two becomes the object `name`.
  LogFields& begin(std::string_view name);
  LogFields& end();
  const std::string& json() const noexcept { return json_; }

 private:
  void open(std::string_view name);

  std::string json_;
};

// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Writes lines without making the caller wait for the terminal or pipe: a bounded queue and one
// thread; when the queue is full the oldest line is dropped and counted, and a later line says how
// many were lost. Lines appear within a few milliseconds. Safe to use from any thread. Queued lines
// are written before the destructor returns, unless nobody reads them for a second.
class Log {
 public:
  // Lines that may wait for the reader. Each has 408 bytes from the start, which is felt in the
  // memory of an idle process, so that only who logs every request has more: a second of 4,000.
  static constexpr std::size_t kQueuedEvents = 1024;
  static constexpr std::size_t kQueuedRequests = 8192;

  // `output` is an open file descriptor; it is duplicated.
  Log(LogLevel level, LogFormat format, const Clock& clock, int output = 1,
      std::size_t queued_lines = kQueuedEvents);
  ~Log();

  bool is_on(LogLevel level) const noexcept {
    return level >= level_ && level_ != LogLevel::silent;
  }

  void write(LogLevel level, std::string_view message, const LogFields& fields = LogFields()) {
    if (is_on(level)) write_always(level, message, fields);
  }
  void debug(std::string_view message, const LogFields& fields = LogFields()) {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, const LogFields& fields = LogFields()) {
    write(LogLevel::info, message, fields);
  }
  void warn(std::string_view message, const LogFields& fields = LogFields()) {
    write(LogLevel::warn, message, fields);
  }
  void error(std::string_view message, const LogFields& fields = LogFields()) {
    write(LogLevel::error, message, fields);
  }

  // Writes the line whatever `level` the log was made with, for logs with a level of their own
  // (logging.http).
  void write_always(LogLevel level, std::string_view message, const LogFields& fields);

  // Lines lost because the reader of standard output was too slow or gone.
  std::uint64_t dropped() const;

 private:
  class Queue;

  LogLevel level_;
  LogFormat format_;
  const Clock& clock_;
  std::unique_ptr<Queue> queue_;
};

}  // namespace flowstore
