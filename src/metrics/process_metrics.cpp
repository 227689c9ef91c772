#include "metrics/process_metrics.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

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

// When the machine started, in seconds since 1970.
double boot_time() {
  std::ifstream system("/proc/stat");
  double boot = 0;
  for (std::string word; system >> word;) {
    if (word != "btime") continue;
    system >> boot;
    break;
  }
  return boot;
}

// When the process started, in seconds since 1970: field 22 of /proc/self/stat after boot_time().
double start_time() {
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // The second field is the program's name in parentheses and may hold blanks.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  return boot_time() + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void append_memory(std::string& out) {
  const struct mallinfo2 heap = ::mallinfo2();
  append(out, "process_heap_bytes", "Process heap size in bytes.", "gauge",
         static_cast<double>(heap.arena + heap.hblkhd));
  std::ifstream statm("/proc/self/statm");
  double virtual_pages = 0;
  double resident_pages = 0;
  if (!(statm >> virtual_pages >> resident_pages)) return;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  append(out, "process_resident_memory_bytes", "Resident memory size in bytes.", "gauge",
         resident_pages * page);
  append(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.", "gauge",
         virtual_pages * page);
}

// Not counting the one that reads the list. Where there is none left for that, all are in use.
double open_descriptors(double limit) {
  std::error_code error;
  std::filesystem::directory_iterator each("/proc/self/fd", error);
  double count = -1;
  for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) ++count;
  return error ? limit : count;
}

void append_descriptors(std::string& out) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto most = static_cast<double>(limit.rlim_cur);
  append(out, "process_open_fds", "Number of open file descriptors.", "gauge",
         open_descriptors(most));
  append(out, "process_max_fds", "Maximum number of open file descriptors.", "gauge", most);
}

}  // namespace

void add_process_metrics(Registry& registry) {
  registry
      .gauge("flowstore_build_info", "The version that runs; always 1.",
             {{"version", FLOWSTORE_VERSION}, {"compiler", __VERSION__}})
      .set(1);
  registry.add_collector([started = start_time()](std::string& out) {
    append_cpu(out);
    append(out, "process_start_time_seconds",
           "Start time of the process since unix epoch in seconds.", "gauge", started);
    append_memory(out);
    append_descriptors(out);
  });
}

}  // namespace flowstore::metrics
