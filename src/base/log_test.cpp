#include "base/log.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "support/manual_clock.h"

namespace flowstore {
namespace {

// ManualClock begins at this time of the day.
#define FLOWSTORE_TEST_TIME "2026-01-01T01:00:00.000Z"

class Pipe {
 public:
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reading_ = FileDescriptor(ends[0]);
    writing_ = FileDescriptor(ends[1]);
  }

  int writing() const { return writing_.get(); }
  void close_writing() { writing_ = FileDescriptor(); }
  void close_reading() { reading_ = FileDescriptor(); }

  // As many bytes as the kernel has, at least one; empty at the end.
  std::string read() const {
    std::string bytes(65536, '\0');
    const ssize_t size = ::read(reading_.get(), bytes.data(), bytes.size());
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }
  std::string read_all() {
    close_writing();
    std::string all;
    for (std::string some = read(); !some.empty(); some = read()) all += some;
    return all;
  }

 private:
  FileDescriptor reading_;
  FileDescriptor writing_;
};

// What a log writes while `act` uses it.
template <class Act>
std::string text_of(LogLevel level, LogFormat format, Act act) {
  Pipe pipe;
  const ManualClock clock;
  {
    Log log(level, format, clock, pipe.writing());
    act(log);
  }
  return pipe.read_all();
}

template <class Act>
std::string json_of(Act act) {
  return text_of(LogLevel::info, LogFormat::json, act);
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(Log, WritesTheLinesOfTheOldServer) {
  EXPECT_EQ(json_of([](Log& log) { log.info("Server listening at http://127.0.0.1:3001"); }),
            "{\"level\":\"INFO\",\"time\":\"" FLOWSTORE_TEST_TIME
            "\",\"msg\":\"Server listening at http://127.0.0.1:3001\"}\n");
}

TEST(Log, PutsFieldsBetweenTimeAndMessage) {
  const auto act = [](Log& log) {
    LogFields fields;
    fields.text("reqId", "req-1").begin("res").number("statusCode", 200);
    fields.begin("request").text("url", "/").end().end().decimal("responseTime", 20.13794);
    log.warn("request completed", fields);
  };
  EXPECT_EQ(json_of(act), "{\"level\":\"WARN\",\"time\":\"" FLOWSTORE_TEST_TIME
                          "\",\"reqId\":\"req-1\",\"res\":{\"statusCode\":200,\"request\":{\"url\":"
                          "\"/\"}},\"responseTime\":20.13794,\"msg\":\"request completed\"}\n");
}

TEST(Log, WritesForPeopleWhenAsked) {
  const auto act = [](Log& log) {
    log.info("ready");
    LogFields fields;
    fields.number("lines", 3).raw("ok", "true");
    log.error("a \"quoted\" word", fields);
  };
  EXPECT_EQ(text_of(LogLevel::info, LogFormat::pretty, act),
            "[" FLOWSTORE_TEST_TIME
            "] INFO: ready\n"
            "[" FLOWSTORE_TEST_TIME "] ERROR: a \"quoted\" word {\"lines\":3,\"ok\":true}\n");
}

TEST(Log, KeepsBackWhatIsBelowItsLevel) {
  const auto act = [](Log& log) {
    log.debug("no");
    log.info("no");
    log.warn("yes");
    log.write_always(LogLevel::info, "always", LogFields());
    EXPECT_FALSE(log.is_on(LogLevel::info));
    EXPECT_TRUE(log.is_on(LogLevel::fatal));
  };
  const std::string text = text_of(LogLevel::warn, LogFormat::pretty, act);
  EXPECT_EQ(text, "[" FLOWSTORE_TEST_TIME "] WARN: yes\n[" FLOWSTORE_TEST_TIME "] INFO: always\n");
}

TEST(Log, IsQuietWhenSilent) {
  EXPECT_EQ(text_of(LogLevel::silent, LogFormat::json,
                    [](Log& log) { log.write(LogLevel::fatal, "no"); }),
            "");
}

TEST(Log, ReadsTheLevelNamesOfTheConfiguration) {
  EXPECT_EQ(parse_log_level("trace"), LogLevel::trace);
  EXPECT_EQ(parse_log_level("silent"), LogLevel::silent);
  EXPECT_EQ(parse_log_level("fatal"), LogLevel::fatal);
  EXPECT_EQ(parse_log_level("INFO"), std::nullopt);
  EXPECT_EQ(parse_log_level(""), std::nullopt);
}

TEST(Log, LetsNobodyForgeALine) {
  const auto act = [](Log& log) {
    LogFields fields;
    fields.text("url", "/a\r\n{\"level\":\"INFO\"}\x7f");
    log.info("first\nsecond\x1b[2J\x7f", fields);
  };
  for (const LogFormat format : {LogFormat::json, LogFormat::pretty}) {
    const std::string text = text_of(LogLevel::info, format, act);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    EXPECT_EQ(text.find_first_of("\x1b\x7f"), std::string::npos) << text;
  }
}

TEST(Log, EscapesAsJsonAsks) {
  EXPECT_EQ(json_string("plain"), R"("plain")");
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("\b\f\n\r\t\x01\x1f"), R"("\b\f\n\r\t\u0001\u001f")");
  EXPECT_EQ(json_string("a\x7f"), "\"a\x7f\"");  // as JSON.stringify leaves it
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
  EXPECT_EQ(json_string("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "\"h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

TEST(Log, ReplacesBytesThatAreNoUtf8) {
  const std::string sign = "\xEF\xBF\xBD";
  const auto replaced = [&sign](int times, std::string_view rest) {
    std::string text = "\"";
    for (int i = 0; i < times; ++i) text += sign;
    return text.append(rest).append("\"");
  };
  EXPECT_EQ(json_string("\xFFz"), replaced(1, "z"));
  EXPECT_EQ(json_string("\xC3"), replaced(1, ""));              // cut short
  EXPECT_EQ(json_string("\xC0\xAF"), replaced(2, ""));          // overlong
  EXPECT_EQ(json_string("\xED\xA0\x80"), replaced(3, ""));      // surrogate
  EXPECT_EQ(json_string("\xF4\x90\x80\x80"), replaced(4, ""));  // beyond U+10FFFF
  EXPECT_EQ(json_string("\xE2\x82\"x"), replaced(2, "\\\"x"));  // a quote is no continuation
}

TEST(Log, WritesNumbersThatJsonKnows) {
  LogFields fields;
  fields.decimal("a", 0.5).decimal("b", std::numeric_limits<double>::infinity());
  fields.number("c", std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(fields.json(), "\"a\":0.5,\"b\":0,\"c\":-9223372036854775808");
}

TEST(Log, WritesLongLinesWhole) {
  const std::string message(200'000, 'x');
  std::string text;
  Pipe pipe;
  const ManualClock clock;
  std::thread reader([&] {
    while (text.size() < message.size() || text.back() != '\n') text += pipe.read();
  });
  {
    Log log(LogLevel::info, LogFormat::json, clock, pipe.writing());
    log.info(message);
  }
  reader.join();
  EXPECT_NE(text.find(message + "\"}\n"), std::string::npos);
}

TEST(Log, KeepsTheOrderOfEachThread) {
  Pipe pipe;
  const ManualClock clock;
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  std::string text;
  std::thread reader([&] {
    for (std::string some = pipe.read(); !some.empty(); some = pipe.read()) text += some;
  });
  {
    Log log(LogLevel::info, LogFormat::pretty, clock, pipe.writing(), Log::kQueuedRequests);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&log, thread] {
        for (int i = 0; i < kLines; ++i) {
          log.info("thread " + std::to_string(thread) + " line " + std::to_string(i) + ".");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(log.dropped(), 0U);
  }
  pipe.close_writing();
  reader.join();
  for (int thread = 0; thread < kThreads; ++thread) {
    std::size_t at = 0;
    for (int i = 0; i < kLines; ++i) {
      const std::string line =
          "thread " + std::to_string(thread) + " line " + std::to_string(i) + ".";
      at = text.find(line, at);
      ASSERT_NE(at, std::string::npos) << line;
    }
  }
}

TEST(Log, OutlivesTheReaderOfItsOutput) {
  Pipe pipe;
  const ManualClock clock;
  pipe.close_reading();
  Log log(LogLevel::info, LogFormat::json, clock, pipe.writing());
  log.info("nobody reads this");
  while (log.dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(log.dropped(), 1U);
}

TEST(Log, NeverBecomesAFileThatGetsTheNumberOfAClosedOutput) {
  const ManualClock clock;
  Pipe pipe;
  const int number = pipe.writing();
  pipe.close_writing();
  Log log(LogLevel::info, LogFormat::json, clock, number);
  const FileDescriptor memory(::memfd_create("data", MFD_CLOEXEC));
  const FileDescriptor data(::dup3(memory.get(), number, O_CLOEXEC));
  log.info("not into the data");
  while (log.dropped() == 0) std::this_thread::yield();
  EXPECT_EQ(::lseek(memory.get(), 0, SEEK_END), 0);
}

TEST(Log, DropsTheOldestLinesOfAReaderThatSleepsAndSaysHowMany) {
  constexpr int kLines = 40'000;
  Pipe pipe;
  const ManualClock clock;
  std::string text;
  std::uint64_t dropped = 0;
  std::thread reader;
  {
    Log log(LogLevel::info, LogFormat::pretty, clock, pipe.writing(), Log::kQueuedRequests);
    for (int i = 0; i < kLines; ++i) log.info("line " + std::to_string(i) + ".");
    dropped = log.dropped();
    reader = std::thread([&] {
      for (std::string some = pipe.read(); !some.empty(); some = pipe.read()) text += some;
    });
  }
  pipe.close_writing();
  reader.join();

  EXPECT_GT(dropped, 0U);
  EXPECT_NE(text.find("INFO: line 0."), std::string::npos);
  EXPECT_NE(text.find("INFO: line " + std::to_string(kLines - 1) + "."), std::string::npos);
  const auto written = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(written + dropped, kLines + 1U);
  EXPECT_NE(text.find("WARN: log lines were lost: standard output was too slow {\"lines\":" +
                      std::to_string(dropped) + "}\n"),
            std::string::npos);
}

TEST(Log, DoesNotWaitForeverForAReaderThatSleeps) {
  Pipe pipe;
  const ManualClock clock;
  const auto start = std::chrono::steady_clock::now();
  {
    Log log(LogLevel::info, LogFormat::json, clock, pipe.writing());
    for (int i = 0; i < 4000; ++i) log.info(std::string(100, 'x'));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace flowstore
