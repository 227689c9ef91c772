#include "base/log.h"

#include <array>
#include <cmath>
#include <cstdio>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

namespace flowstore {
namespace {

// Lines that may wait for the reader of standard output: a second or so of a busy request log.
constexpr std::size_t kQueuedLines = 16'384;

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 7> kNames = {"TRACE", "DEBUG", "INFO",  "WARN",
                                                      "ERROR", "FATAL", "SILENT"};
  return kNames[static_cast<std::size_t>(level)];
}

// "2026-11-22T22:35:28.644Z"
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time) - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  out.append(text.data(), static_cast<std::size_t>(size));
}

// Writes each line as it comes. A reader that has gone away costs the lines, not the process: the
// program ignores SIGPIPE.
class StandardOutput final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view rest(message.payload.data(), message.payload.size());
    while (!rest.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void flush_() override {}
};

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first >= 0xC2 && first < 0xE0) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return !is_overlong && !is_surrogate && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool is_overlong = first == 0xF0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xF4 && byte(1) >= 0x90;
    return !is_overlong && !is_beyond && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped_byte(std::string& out, char c) {
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    case '\b': out.append("\\b"); return;
    case '\f': out.append("\\f"); return;
    default: break;
  }
  if (static_cast<unsigned char>(c) >= 0x20) {
    out.push_back(c);
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(c);
  out.append("\\u00").append(1, kHex[value >> 4]).append(1, kHex[value & 15]);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      append_escaped_byte(out, text.front());
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = utf8_length(text);
    out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords = {"trace", "debug", "info",  "warn",
                                                      "error", "fatal", "silent"};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void LogFields::open(std::string_view name) {
  if (!json_.empty()) json_.push_back(',');
  append_json_string(json_, name);
  json_.push_back(':');
}

LogFields& LogFields::text(std::string_view name, std::string_view value) {
  open(name);
  append_json_string(json_, value);
  return *this;
}

LogFields& LogFields::number(std::string_view name, std::int64_t value) {
  open(name);
  json_.append(std::to_string(value));
  return *this;
}

LogFields& LogFields::decimal(std::string_view name, double value) {
  open(name);
  std::array<char, 32> text{};
  // JSON knows no infinity.
  const int size = std::snprintf(text.data(), text.size(), "%.6g", std::isfinite(value) ? value : 0);
  json_.append(text.data(), static_cast<std::size_t>(size));
  return *this;
}

LogFields& LogFields::raw(std::string_view name, std::string_view json) {
  open(name);
  json_.append(json);
  return *this;
}

class Log::Sink {
 public:
  Sink()
      : pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "flowstore", std::make_shared<StandardOutput>(), pool_,
            spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);
  }

  void write(std::string_view line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }
  std::uint64_t dropped() const { return pool_->overrun_counter(); }

 private:
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

Log::Log(LogLevel level, LogFormat format, const Clock& clock)
    : level_(level), format_(format), clock_(clock), sink_(std::make_unique<Sink>()) {}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view message, const LogFields& fields) {
  if (is_on(level)) write_always(level, message, fields);
}

void Log::write_always(LogLevel level, std::string_view message, const LogFields& fields) {
  std::string line;
  line.reserve(128 + message.size() + fields.json().size());
  if (format_ == LogFormat::pretty) {
    line.append("[");
    append_time(line, clock_.wall());
    line.append("] ").append(name_of(level)).append(": ").append(message);
    if (!fields.json().empty()) line.append(" {").append(fields.json()).append("}");
    line.push_back('\n');
  } else {
    line.append("{\"level\":\"").append(name_of(level)).append("\",\"time\":\"");
    append_time(line, clock_.wall());
    line.append("\",");
    if (!fields.json().empty()) line.append(fields.json()).append(",");
    line.append("\"msg\":");
    append_json_string(line, message);
    line.append("}\n");
  }
  sink_->write(line);
}

std::uint64_t Log::dropped() const noexcept { return sink_->dropped(); }

}  // namespace flowstore
