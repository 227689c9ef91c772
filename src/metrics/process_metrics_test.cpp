#include "metrics/process_metrics.h"

#include <chrono>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file_descriptor.h"
#include "support/sample.h"

namespace flowstore::metrics {
namespace {

double value_of(const std::string& name) {
  Registry registry;
  add_process_metrics(registry);
  return sample_in(registry.text(), name);
}

TEST(ProcessMetrics, HaveTheNamesOfTheOldServer) {
  Registry registry;
  add_process_metrics(registry);
  const std::string text = registry.text();
  for (const char* name : {"process_cpu_user_seconds_total", "process_cpu_system_seconds_total",
                           "process_cpu_seconds_total", "process_heap_bytes"}) {
    EXPECT_GE(sample_in(text, name), 0) << name;
    EXPECT_NE(text.find("\n# TYPE " + std::string(name) + " "), std::string::npos) << name;
  }
  for (const char* name : {"process_start_time_seconds", "process_resident_memory_bytes",
                           "process_virtual_memory_bytes", "process_open_fds", "process_max_fds"}) {
    EXPECT_GT(sample_in(text, name), 0) << name;
    EXPECT_NE(text.find("\n# TYPE " + std::string(name) + " "), std::string::npos) << name;
  }
}

TEST(ProcessMetrics, KnowWhenTheProcessStarted) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double seconds = std::chrono::duration<double>(now).count();
  EXPECT_NEAR(value_of("process_start_time_seconds"), seconds, 3600);
}

TEST(ProcessMetrics, CountEveryOpenDescriptor) {
  const double before = value_of("process_open_fds");
  const FileDescriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(value_of("process_open_fds"), before + 1);
}

TEST(ProcessMetrics, SayWhichVersionRuns) {
  EXPECT_EQ(value_of("flowstore_build_info{version=\"" FLOWSTORE_VERSION
                     "\",compiler=\"" __VERSION__ "\"}"),
            1);
}

}  // namespace
}  // namespace flowstore::metrics
