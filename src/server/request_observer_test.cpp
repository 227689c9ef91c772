#include "server/request_observer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "support/manual_clock.h"

namespace flowstore::server {
namespace {

#define FLOWSTORE_TEST_TIME "\"time\":\"2026-01-01T01:00:00.000Z\""

constexpr std::string_view kFileRoute = "/v1/files/:teamId/:projectId/*";

// The levels of a configuration.
struct Levels {
  LogLevel log = LogLevel::info;
  LogLevel http = LogLevel::info;
};

class Written {
 public:
  std::string text;
  metrics::Registry registry;

  bool has(std::string_view line) const {
    return registry_text().find("\n" + std::string(line) + "\n") != std::string::npos;
  }
  const std::string& registry_text() const { return metrics_; }

  // What an observer makes of `act`.
  template <class Act>
  explicit Written(Levels levels, Act act) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const FileDescriptor reading(ends[0]);
    FileDescriptor writing(ends[1]);
    const ManualClock clock;
    {
      Log log(levels.log, LogFormat::json, clock, writing.get());
      RequestObserver observer(log, levels.http, registry);
      act(observer);
      metrics_ = registry.text();
    }
    writing = FileDescriptor();
    std::string bytes(65536, '\0');
    for (ssize_t size = 0; (size = ::read(reading.get(), bytes.data(), bytes.size())) > 0;) {
      text.append(bytes, 0, static_cast<std::size_t>(size));
    }
  }

 private:
  std::string metrics_;
};

const http::Peer& peer() {
  static const http::Peer kPeer = {"127.0.0.1", 47618};
  return kPeer;
}

http::Exchange file_read() {
  http::Exchange exchange;
  exchange.id = 1;
  exchange.method = "GET";
  exchange.target = "/v1/files/t/p/a.txt?x=1";
  exchange.host = "127.0.0.1:15020";
  exchange.peer = &peer();
  exchange.status = 200;
  exchange.route = kFileRoute;
  exchange.duration = std::chrono::nanoseconds(20'137'940);
  exchange.bytes_in = 3;
  exchange.bytes_out = 7;
  exchange.is_complete = true;
  return exchange;
}

// An exchange as the session reports it: the answer is not known at the start.
void run(http::Observer& observer, const http::Exchange& exchange) {
  http::Exchange start = exchange;
  start.status = 0;
  start.route = {};
  start.is_complete = false;
  observer.started(start);
  observer.finished(exchange);
}

std::string text_of(Levels levels, const http::Exchange& exchange) {
  return Written(levels, [&](http::Observer& observer) { run(observer, exchange); }).text;
}

TEST(RequestObserver, WritesTheTwoLinesOfTheOldServer) {
  EXPECT_EQ(
      text_of({}, file_read()),
      R"({"level":"INFO",)" FLOWSTORE_TEST_TIME
      R"(,"reqId":"req-1","req":{"method":"GET","url":"/v1/files/t/p/a.txt?x=1",)"
      R"("host":"127.0.0.1:15020","remoteAddress":"127.0.0.1","remotePort":47618},)"
      R"("msg":"incoming request"})"
      "\n"
      R"({"level":"INFO",)" FLOWSTORE_TEST_TIME
      R"(,"reqId":"req-1","res":{"statusCode":200,"request":{"url":"/v1/files/t/p/a.txt?x=1",)"
      R"("method":"GET","remoteAddress":"127.0.0.1","remotePort":47618}},)"
      R"("responseTime":20.13794,"msg":"request completed"})"
      "\n");
}

TEST(RequestObserver, CountsRequestsInBase36) {
  http::Exchange exchange = file_read();
  const std::vector<std::pair<std::uint64_t, std::string>> ids = {
      {9, "req-9"}, {10, "req-a"}, {35, "req-z"}, {36, "req-10"}, {46655, "req-zzz"}};
  for (const auto& [id, text] : ids) {
    exchange.id = id;
    EXPECT_NE(text_of({}, exchange).find("\"reqId\":\"" + text + "\""), std::string::npos) << id;
  }
}

TEST(RequestObserver, NamesTheFirstAddressThatWasForwarded) {
  http::Exchange exchange = file_read();
  const std::vector<std::pair<std::string, std::string>> addresses = {
      {"10.1.2.3", "10.1.2.3"},
      {" 10.1.2.3 , 10.9.9.9", "10.1.2.3"},
      {", 2001:db8::1", "2001:db8::1"},
      {" , ", "127.0.0.1"},
      {"", "127.0.0.1"}};
  for (const auto& [sent, expected] : addresses) {
    exchange.forwarded_for = sent;
    EXPECT_NE(text_of({}, exchange).find("\"remoteAddress\":\"" + expected + "\""),
              std::string::npos)
        << sent;
  }
}

TEST(RequestObserver, FollowsTheHttpLevelForRoutesBelowV1) {
  EXPECT_EQ(text_of({LogLevel::info, LogLevel::warn}, file_read()), "");
  EXPECT_NE(text_of({LogLevel::error, LogLevel::info}, file_read()), "");
}

TEST(RequestObserver, FollowsTheLogLevelForHealth) {
  http::Exchange exchange = file_read();
  exchange.target = exchange.route = "/health";
  EXPECT_NE(text_of({LogLevel::info, LogLevel::silent}, exchange), "");
  EXPECT_EQ(text_of({LogLevel::warn, LogLevel::info}, exchange), "");
}

TEST(RequestObserver, FollowsTheLogLevelForWhatHasNoRoute) {
  http::Exchange exchange = file_read();
  exchange.target = "/v1/nothing";
  exchange.route = {};
  exchange.status = 404;
  const std::string text = text_of({LogLevel::info, LogLevel::warn}, exchange);
  EXPECT_NE(text.find("incoming request"), std::string::npos);
  EXPECT_NE(text.find("request completed"), std::string::npos);
  EXPECT_EQ(text_of({LogLevel::warn, LogLevel::warn}, exchange), "");
}

TEST(RequestObserver, SaysWhenAnAnswerDidNotGoOut) {
  http::Exchange exchange = file_read();
  exchange.is_complete = false;
  const Written written({}, [&](http::Observer& observer) { run(observer, exchange); });
  EXPECT_NE(written.text.find(R"("msg":"request aborted"})"), std::string::npos);
  EXPECT_TRUE(written.has("flowstore_http_aborted_total 1"));
}

TEST(RequestObserver, LetsNobodyForgeALineThroughTheRequest) {
  http::Exchange exchange = file_read();
  exchange.host = "a\"\n{}";
  exchange.forwarded_for = "1.1.1.1\",\"x\":\"";
  const std::string text = text_of({}, exchange);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find(R"("host":"a\"\n{}","remoteAddress":"1.1.1.1\"")"), std::string::npos);
}

TEST(RequestObserver, CountsRequestsByRoute) {
  const auto act = [](http::Observer& observer) {
    run(observer, file_read());
    run(observer, file_read());
    observer.started(file_read());
    observer.connections_changed(1);
    observer.connections_changed(1);
    observer.connections_changed(-1);
  };
  const Written written({LogLevel::warn, LogLevel::warn}, act);
  EXPECT_TRUE(written.has("http_request_duration_seconds_bucket{method=\"GET\",route=\"" +
                          std::string(kFileRoute) + "\",status_code=\"200\",le=\"0.025\"} 2"));
  EXPECT_TRUE(written.has("http_request_summary_seconds_count{method=\"GET\",route=\"" +
                          std::string(kFileRoute) + "\",status_code=\"200\"} 2"));
  EXPECT_TRUE(written.has("flowstore_http_inflight_requests 1"));
  EXPECT_TRUE(written.has("flowstore_http_connections 1"));
  EXPECT_TRUE(written.has("flowstore_http_received_bytes_total 6"));
  EXPECT_TRUE(written.has("flowstore_http_sent_bytes_total 14"));
  EXPECT_TRUE(written.has("flowstore_http_aborted_total 0"));
  EXPECT_EQ(written.text, "");
}

TEST(RequestObserver, DoesNotTimeARequestThatGotNoStatus) {
  http::Exchange exchange = file_read();
  exchange.status = 0;
  exchange.is_complete = false;
  const Written written({}, [&](http::Observer& observer) { run(observer, exchange); });
  EXPECT_EQ(written.registry_text().find("status_code"), std::string::npos);
  EXPECT_TRUE(written.has("flowstore_http_aborted_total 1"));
}

TEST(RequestObserver, CountsRejectionsByStatus) {
  const auto act = [](http::Observer& observer) {
    for (const int status : {400, 431, 431, 599}) observer.rejected(status);
  };
  const Written written({}, act);
  EXPECT_TRUE(written.has("flowstore_http_rejected_total{status=\"400\"} 1"));
  EXPECT_TRUE(written.has("flowstore_http_rejected_total{status=\"408\"} 0"));
  EXPECT_TRUE(written.has("flowstore_http_rejected_total{status=\"431\"} 2"));
  EXPECT_TRUE(written.has("flowstore_http_rejected_total{status=\"other\"} 1"));
}

TEST(RequestObserver, ReportsABugOnceWithItsRequest) {
  const auto act = [](http::Observer& observer) {
    observer.handler_threw(file_read(), "vector::at");
  };
  const Written written({LogLevel::error, LogLevel::silent}, act);
  EXPECT_EQ(written.text, R"({"level":"ERROR",)" FLOWSTORE_TEST_TIME
                          R"(,"reqId":"req-1","err":{"message":"vector::at"},)"
                          R"("msg":"unexpected exception"})"
                          "\n");
  EXPECT_TRUE(written.has("flowstore_unexpected_exceptions_total 1"));
}

}  // namespace
}  // namespace flowstore::server
