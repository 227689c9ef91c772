#include "base/log.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <thread>
#include <utility>

#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include "base/log_output.h"
#include "base/log_text.h"

namespace flowstore {
namespace {

// How long the writer sleeps after it has caught up. Waking it costs whoever writes a line a system
// call, so it wakes up for many lines at once.
constexpr std::chrono::milliseconds kNap{2};

constexpr std::array<std::string_view, 7> kLevelNames = {"trace", "debug", "info",  "warn",
                                                         "error", "fatal", "silent"};

// Signals go to the other threads, and SIGPIPE to nobody: write() reports it.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Gathers the queued lines and writes them when there is no further one, or enough. Used by the
// thread of the queue only.
class BatchingSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  BatchingSink(spdlog::details::thread_pool& pool, LogOutput& output, LogFormat format,
               const Clock& clock)
      : pool_(pool), output_(output), format_(format), clock_(clock) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    output_.add(std::string_view(message.payload.data(), message.payload.size()));
    // Asking costs the mutex of the queue, so it is asked again only after what it said.
    if (following_ > 0) --following_;
    if (following_ == 0) following_ = pool_.queue_size();
    const bool is_last = following_ == 0;
    if (!is_last && !output_.is_full()) return;
    flush_();
    if (is_last) std::this_thread::sleep_for(kNap);
  }

  void flush_() override {
    report_losses();
    output_.write();
  }

 private:
  void report_losses() {
    const std::uint64_t lost = pool_.overrun_counter() + output_.lost();
    if (lost == reported_ || !output_.is_working()) return;
    LogFields fields;
    fields.number("lines", static_cast<std::int64_t>(lost - std::exchange(reported_, lost)));
    output_.add(log_line(format_, LogLevel::warn, clock_.wall(),
                         "log lines were lost: standard output was too slow", fields.json()));
  }

  spdlog::details::thread_pool& pool_;
  LogOutput& output_;
  LogFormat format_;
  const Clock& clock_;
  std::size_t following_ = 0;  // lines that are queued for certain
  std::uint64_t reported_ = 0;
};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  for (std::size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

void LogFields::open(std::string_view name) {
  // One allocation is enough for most lines.
  if (json_.empty()) json_.reserve(384);
  if (!json_.empty() && json_.back() != '{') json_.push_back(',');
  // Names are literals of this program: nothing in them is to be escaped.
  json_.append("\"").append(name).append("\":");
}

LogFields& LogFields::text(std::string_view name, std::string_view value) {
  open(name);
  append_log_string(json_, value);
  return *this;
}

LogFields& LogFields::number(std::string_view name, std::int64_t value) {
  open(name);
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  json_.append(text.data(), end);
  return *this;
}

LogFields& LogFields::decimal(std::string_view name, double value) {
  open(name);
  std::array<char, 32> text{};
  // JSON knows no infinity.
  const double finite = std::isfinite(value) ? value : 0;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), finite).ptr;
  json_.append(text.data(), end);
  return *this;
}

LogFields& LogFields::raw(std::string_view name, std::string_view json) {
  open(name);
  json_.append(json);
  return *this;
}

LogFields& LogFields::begin(std::string_view name) {
  open(name);
  json_.push_back('{');
  return *this;
}

LogFields& LogFields::end() {
  json_.push_back('}');
  return *this;
}

class Log::Queue {
 public:
  Queue(int output, LogFormat format, const Clock& clock, std::size_t lines)
      : output_(output),
        pool_(std::make_shared<spdlog::details::thread_pool>(lines, 1, block_signals,
                                                             [this] { sink_->flush(); })),
        sink_(std::make_shared<BatchingSink>(*pool_, output_, format, clock)),
        logger_(std::make_shared<spdlog::async_logger>(
            "", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {}

  // The pool ends its thread after what is queued.
  ~Queue() {
    output_.close();
    pool_.reset();
  }

  void push(std::string_view line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  std::uint64_t dropped() const { return pool_->overrun_counter() + output_.lost(); }

 private:
  LogOutput output_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<BatchingSink> sink_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

Log::Log(LogLevel level, LogFormat format, const Clock& clock, int output, std::size_t queued_lines)
    : level_(level),
      format_(format),
      clock_(clock),
      queue_(std::make_unique<Queue>(output, format, clock, queued_lines)) {}

Log::~Log() = default;

void Log::write_always(LogLevel level, std::string_view message, const LogFields& fields) {
  queue_->push(log_line(format_, level, clock_.wall(), message, fields.json()));
}

std::uint64_t Log::dropped() const { return queue_->dropped(); }

}  // namespace flowstore
