#include "metrics/process_metrics.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics/text.h"

namespace flowstore::metrics {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

void append(std::string& out, std::string_view name, std::string_view help, std::string_view type,
            double value) {
  append_header(out, name, help, type);
  append_sample(out, name, {}, value);
}

void append_cpu(std::string& out) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double user = seconds(usage.ru_utime);
  const double system = seconds(usage.ru_stime);
  append(out, "process_cpu_user_seconds_total", "Total user CPU time spent in seconds.", "counter",
         user);
  append(out, "process_cpu_system_seconds_total", "Total system CPU time spent in seconds.",
         "counter", system);
  append(out, "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
         "counter", user + system);
}

// When the process started, in seconds since 1970: boot time plus field 22 of /proc/self/stat.
double start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // The second field is the program's name in parentheses and may hold blanks.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  double boot = 0;
  std::ifstream system("/proc/stat");
  for (std::string word; system >> word;) {
    if (word == "btime") system >> boot;
  }
  if (field.empty()) return boot;
  return boot + std::stod(field) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void append_memory(std::string& out) {
  std::ifstream statm("/proc/self/statm");
  double virtual_pages = 0;
  double resident_pages = 0;
  statm >> virtual_pages >> resident_pages;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  append(out, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge",
         resident_pages * page);
  append(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge",
         virtual_pages * page);
  append(out, "process_heap_bytes", "Process heap size in bytes.", "gauge",
         static_cast<double>(::mallinfo2().arena));
}

void append_descriptors(std::string& out) {
  std::error_code ignored;
  const std::filesystem::directory_iterator all("/proc/self/fd", ignored);
  const auto open = std::distance(all, std::filesystem::directory_iterator());
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  append(out, "process_open_fds", "Number of open file descriptors.", "gauge",
         static_cast<double>(open));
  append(out, "process_max_fds", "Maximum number of open file descriptors.", "gauge",
         static_cast<double>(limit.rlim_cur));
}

}  // namespace

void add_process_metrics(Registry& registry) {
  registry.gauge("flowstore_build_info", "The version that runs; always 1.",
                 {{"version", FLOWSTORE_VERSION}, {"compiler", __VERSION__}})
      .set(1);
  registry.add_collector([started = start_time()](std::string& out) {
    append_cpu(out);
    append(out, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
           "gauge", started);
    append_memory(out);
    append_descriptors(out);
  });
}

}  // namespace flowstore::metrics
