#include "metrics/registry.h"

#include <limits>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "metrics/operation_time.h"
#include "metrics/text.h"

namespace flowstore::metrics {
namespace {

TEST(Registry, WritesThePrometheusText) {
  Registry registry;
  registry.gauge("flowstore_open", "What is open.").set(-2);
  registry.counter("flowstore_done_total", "What is done.", {{"result", "ok"}}).add(3);
  registry.counter("flowstore_done_total", "What is done.", {{"result", "bad"}}).add();
  Histogram& sizes = registry.histogram("flowstore_sizes_bytes", "Sizes.", {0.5, 100000});
  for (const double size : {0.25, 0.5, 7.0, 1e9}) sizes.observe(size);
  EXPECT_EQ(registry.text(),
            "# HELP flowstore_done_total What is done.\n"
            "# TYPE flowstore_done_total counter\n"
            "flowstore_done_total{result=\"bad\"} 1\n"
            "flowstore_done_total{result=\"ok\"} 3\n"
            "# HELP flowstore_open What is open.\n"
            "# TYPE flowstore_open gauge\n"
            "flowstore_open -2\n"
            "# HELP flowstore_sizes_bytes Sizes.\n"
            "# TYPE flowstore_sizes_bytes histogram\n"
            "flowstore_sizes_bytes_bucket{le=\"0.5\"} 2\n"
            "flowstore_sizes_bytes_bucket{le=\"100000\"} 3\n"
            "flowstore_sizes_bytes_bucket{le=\"+Inf\"} 4\n"
            "flowstore_sizes_bytes_sum 1000000007.75\n"
            "flowstore_sizes_bytes_count 4\n");
}

TEST(Registry, EscapesLabelsAndHelp) {
  Registry registry;
  registry.counter("a_total", "One\nof \\ \"these\".", {{"path", "C:\\\"x\"\ny"}, {"b", ""}});
  EXPECT_EQ(registry.text(),
            "# HELP a_total One\\nof \\\\ \"these\".\n"
            "# TYPE a_total counter\n"
            "a_total{path=\"C:\\\\\\\"x\\\"\\ny\",b=\"\"} 0\n");
}

TEST(Registry, GivesTheSameMetricForTheSameNameAndLabels) {
  Registry registry;
  Counter& first = registry.counter("a_total", "A.", {{"x", "1"}});
  EXPECT_EQ(&first, &registry.counter("a_total", "A.", {{"x", "1"}}));
  EXPECT_NE(&first, &registry.counter("a_total", "A.", {{"x", "2"}}));
}

TEST(Registry, RefusesOneNameAsTwoTypes) {
  Registry registry;
  registry.counter("a_total", "A.");
  EXPECT_THROW(registry.gauge("a_total", "A.", {{"x", "1"}}), std::logic_error);
}

TEST(Registry, AppendsWhatCollectorsSayAndLetsThemUseIt) {
  Registry registry;
  registry.gauge("z", "Z.").set(1);
  registry.add_collector([&registry](std::string& out) {
    append_sample(out, "a", {}, static_cast<double>(registry.gauge("z", "Z.").value()));
  });
  EXPECT_EQ(registry.text(), "# HELP z Z.\n# TYPE z gauge\nz 1\na 1\n");
}

TEST(Registry, LosesNoCountBetweenThreads) {
  Registry registry;
  Counter& counter = registry.counter("a_total", "A.");
  Gauge& gauge = registry.gauge("b", "B.");
  Histogram& histogram = registry.histogram("c", "C.", {1});
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kRounds; ++i) {
        counter.add(2);
        gauge.add(i % 2 == 0 ? 1 : -1);
        histogram.observe(thread);
        registry.counter("d_total", "D.", {{"i", std::to_string(i % 7)}}).add();
        if (i % 1000 == 0) {
          EXPECT_FALSE(registry.text().empty());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 2U * kThreads * kRounds);
  EXPECT_EQ(gauge.value(), 0);
  EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{2 * kRounds, 2 * kRounds}));
  EXPECT_EQ(histogram.sum(), 6.0 * kRounds);
}

TEST(Text, WritesNumbersThatReadBackTheSame) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(0.005), "0.005");
  EXPECT_EQ(number_text(100000), "100000");
  EXPECT_EQ(number_text(1763892000.25), "1763892000.25");
  EXPECT_EQ(number_text(1e300), "1e+300");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-Inf");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(OperationTime, CountsWhatWasNotForgotten) {
  Registry registry;
  const SystemClock clock;
  const OperationTime time({"work_seconds", "Work."}, "driver", "open", clock, registry);
  { const auto measured = time.measure(); }
  {
    auto measured = time.measure();
    measured.forget();
  }
  EXPECT_NE(registry.text().find("work_seconds_count{driver=\"driver\",operation=\"open\"} 1\n"),
            std::string::npos);
}

}  // namespace
}  // namespace flowstore::metrics
