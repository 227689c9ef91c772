#include "metrics/http_metrics.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "support/sample.h"

namespace flowstore::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::string text_of(const HttpMetrics& metrics) {
  std::string text;
  metrics.collect(text);
  return text;
}

TEST(HttpMetrics, WritesTheFamiliesOfTheOldServer) {
  HttpMetrics metrics;
  metrics.observe("GET", "/health", 200, milliseconds(5));
  metrics.observe("GET", "/health", 200, milliseconds(5));
  const std::string labels = "method=\"GET\",route=\"/health\",status_code=\"200\"";
  std::string expected =
      "# HELP http_request_duration_seconds request duration in seconds\n"
      "# TYPE http_request_duration_seconds histogram\n";
  for (const char* bound :
       {"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}) {
    expected += "http_request_duration_seconds_bucket{" + labels + ",le=\"" + bound + "\"} 2\n";
  }
  expected += "http_request_duration_seconds_sum{" + labels + "} 0.01\n";
  expected += "http_request_duration_seconds_count{" + labels + "} 2\n";
  expected +=
      "# HELP http_request_summary_seconds request duration in seconds summary\n"
      "# TYPE http_request_summary_seconds summary\n";
  // 50,000 ticks of 100 ns lie in the bucket from 49,152 to 50,176.
  for (const char* quantile : {"0.01", "0.05", "0.5", "0.9", "0.95", "0.99", "0.999"}) {
    expected +=
        "http_request_summary_seconds{" + labels + ",quantile=\"" + quantile + "\"} 0.0049664\n";
  }
  expected += "http_request_summary_seconds_sum{" + labels + "} 0.01\n";
  expected += "http_request_summary_seconds_count{" + labels + "} 2\n";
  EXPECT_EQ(text_of(metrics), expected);
}

TEST(HttpMetrics, WritesTheNamesOfOpenTelemetry) {
  HttpMetrics metrics;
  metrics.observe("GET", "/health", 200, milliseconds(5));
  metrics.observe("GET", "/health", 200, milliseconds(60));
  std::string text;
  metrics.collect_opentelemetry(text, "https");
  const std::string labels =
      "{http_request_method=\"GET\",http_response_status_code=\"200\",http_route=\"/health\","
      "url_scheme=\"https\"";
  const std::string name = "http_server_request_duration_seconds";
  EXPECT_TRUE(text.starts_with("# HELP " + name + " Duration of HTTP server requests.\n# TYPE " +
                               name + " histogram\n"))
      << text;
  EXPECT_EQ(sample_in(text, name + "_bucket" + labels + ",le=\"0.05\"}"), 1) << text;
  EXPECT_EQ(sample_in(text, name + "_bucket" + labels + ",le=\"0.075\"}"), 2);
  EXPECT_EQ(sample_in(text, name + "_bucket" + labels + ",le=\"7.5\"}"), 2);
  EXPECT_EQ(sample_in(text, name + "_count" + labels + "}"), 2);
}

TEST(HttpMetrics, CountsByTheOldBoundsWhatWasCountedByFinerOnes) {
  HttpMetrics metrics;
  for (const int time : {5, 60, 80, 600, 800, 6000, 8000, 11000}) {
    metrics.observe("GET", "/health", 200, milliseconds(time));
  }
  const std::string text = text_of(metrics);
  const auto count = [&](const std::string& bound) {
    return sample_in(text,
                     "http_request_duration_seconds_bucket{method=\"GET\",route=\"/health\","
                     "status_code=\"200\",le=\"" +
                         bound + "\"}");
  };
  EXPECT_EQ(count("0.005"), 1);
  EXPECT_EQ(count("0.05"), 1);
  EXPECT_EQ(count("0.1"), 3);
  EXPECT_EQ(count("0.5"), 3);
  EXPECT_EQ(count("1"), 5);
  EXPECT_EQ(count("5"), 5);
  EXPECT_EQ(count("10"), 7);
  EXPECT_EQ(count("+Inf"), 8);
}

TEST(HttpMetrics, DoesNotCountHeadOptionsAndUnknownRoutes) {
  HttpMetrics metrics;
  metrics.observe("HEAD", "/health", 200, milliseconds(1));
  metrics.observe("OPTIONS", "/health", 200, milliseconds(1));
  metrics.observe("GET", "", 404, milliseconds(1));
  EXPECT_EQ(text_of(metrics).find('{'), std::string::npos);
}

TEST(HttpMetrics, TellsLabelsApart) {
  HttpMetrics metrics;
  metrics.observe("GET", "/a", 200, milliseconds(1));
  metrics.observe("POST", "/a", 200, milliseconds(1));
  metrics.observe("GET", "/b", 200, milliseconds(1));
  metrics.observe("GET", "/a", 404, milliseconds(1));
  const std::string text = text_of(metrics);
  for (const char* labels : {R"(method="GET",route="/a",status_code="200")",
                             R"(method="POST",route="/a",status_code="200")",
                             R"(method="GET",route="/b",status_code="200")",
                             R"(method="GET",route="/a",status_code="404")"}) {
    EXPECT_EQ(sample_in(text, "http_request_duration_seconds_count{" + std::string(labels) + "}"),
              1)
        << labels;
  }
}

TEST(HttpMetrics, KeepsTheLabelsOfATextThatIsGone) {
  HttpMetrics metrics;
  {
    const std::string route = "/a-route-that-is-longer-than-a-small-string";
    metrics.observe("GET", route, 200, milliseconds(1));
  }
  EXPECT_NE(text_of(metrics).find("/a-route-that-is-longer-than-a-small-string"),
            std::string::npos);
}

TEST(HttpMetrics, ReadsQuantilesOffByLittle) {
  HttpMetrics metrics;
  // 10 us to 100 ms, evenly.
  for (int i = 1; i <= 10'000; ++i) metrics.observe("GET", "/a", 200, microseconds(10) * i);
  const std::string text = text_of(metrics);
  for (const double quantile : {0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999}) {
    const std::string labels = R"(method="GET",route="/a",status_code="200",quantile=")";
    std::string name = std::to_string(quantile);
    name.erase(name.find_last_not_of('0') + 1);
    const double value = sample_in(text, "http_request_summary_seconds{" + labels + name + "\"}");
    EXPECT_NEAR(value, quantile * 0.1, quantile * 0.1 * 0.016) << quantile;
  }
}

TEST(HttpMetrics, IsBoundedInItsLabels) {
  HttpMetrics metrics;
  for (int status = 0; status < 3000; ++status) {
    metrics.observe("GET", "/a", status, milliseconds(1));
  }
  std::size_t sets = 0;
  const std::string text = text_of(metrics);
  const std::string name = "\nhttp_request_summary_seconds_count{";
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) ++sets;
  // The thread may have moved between cores, each of which has its own table.
  EXPECT_GE(sets, 256U);
  EXPECT_LE(sets, 256U * kShards);
}

TEST(HttpMetrics, LosesNoCountBetweenThreads) {
  HttpMetrics metrics;
  constexpr int kThreads = 4;
  constexpr int kRounds = 4000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < kRounds; ++i) {
        metrics.observe("GET", "/a", 200 + i % 4, milliseconds(1));
        if (i % 1000 == 0) {
          EXPECT_FALSE(text_of(metrics).empty());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = text_of(metrics);
  for (int status = 200; status < 204; ++status) {
    const std::string labels =
        "{method=\"GET\",route=\"/a\",status_code=\"" + std::to_string(status) + "\"}";
    EXPECT_EQ(sample_in(text, "http_request_duration_seconds_count" + labels),
              kThreads * kRounds / 4);
    EXPECT_EQ(sample_in(text, "http_request_summary_seconds_count" + labels),
              kThreads * kRounds / 4);
  }
}

TEST(Quantiles, AreNeverOffByMoreThanHalfABucket) {
  for (std::int64_t ns = 3200; ns < 7'000'000'000'000; ns += ns / 41) {
    const double seconds = static_cast<double>(ns) * 1e-9;
    const double middle = quantiles::middle_of(quantiles::bucket_of(nanoseconds(ns)));
    ASSERT_NEAR(middle, seconds, seconds * 0.0165 + 1e-7) << ns;
  }
}

TEST(Quantiles, HoldAnyDuration) {
  EXPECT_EQ(quantiles::bucket_of(nanoseconds(-1)), 0U);
  EXPECT_EQ(quantiles::bucket_of(nanoseconds(0)), 0U);
  EXPECT_EQ(quantiles::bucket_of(nanoseconds::max()), quantiles::kBuckets - 1);
}

TEST(Quantiles, AreNoughtWithoutCounts) {
  const std::vector<std::uint64_t> counts(quantiles::kBuckets);
  EXPECT_EQ(quantiles::at(std::span<const std::uint64_t, quantiles::kBuckets>(counts), 0.5), 0);
}

}  // namespace
}  // namespace flowstore::metrics
