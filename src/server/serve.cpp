#include "server/serve.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/load.h"
#include "server/context_stores.h"
#include "server/file_stores.h"
#include "server/listeners.h"
#include "server/privileges.h"
#include "server/program.h"
#include "server/service_manager.h"

namespace flowstore::server {
namespace {

// The signals that end the service; the old server ends on the same four. SIGHUP is none to reload
// on: installers of FlowFuse use it to stop.
sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR2}) sigaddset(&signals, signal);
  return signals;
}

// Every connection and every file that is being read is a descriptor; the default soft limit of
// 1024 is there for programs that use select().
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Loops look after their connections every second, and a machine may be busy.
constexpr std::chrono::seconds kUsualSilence{3};

// With shutdown.grace and a second more it stays below the 30 s that Kubernetes gives.
constexpr unsigned kEndSeconds = 5;

// Ends the process also when a thread cannot end, such as one whose disk does not answer. What was
// answered is where it belongs by then; the next start finds what a kill would have left.
void end_soon() {
  std::signal(SIGALRM, [](int) { ::_exit(0); });
  ::alarm(kEndSeconds);
}

// Waits for a signal to stop, and says meanwhile that the service is well, as long as every event
// loop runs.
void wait_for(const sigset_t& signals, Program& program, const ServiceManager& manager) {
  int signal = 0;
  if (!manager.watchdog()) {
    ::sigwait(&signals, &signal);
    return;
  }
  const auto patience = std::max<Clock::Duration>(*manager.watchdog() / 2, kUsualSilence);
  const auto pause = std::chrono::duration_cast<std::chrono::nanoseconds>(*manager.watchdog() / 4);
  constexpr long kSecond = 1'000'000'000;
  const timespec turn{pause.count() / kSecond, pause.count() % kSecond};
  bool was_well = true;
  while (::sigtimedwait(&signals, nullptr, &turn) <= 0) {
    const bool is_well = program.longest_silence() < patience;
    if (is_well) manager.is_well();
    if (was_well && !is_well) program.log().error("an event loop hangs");
    was_well = is_well;
  }
}

int cannot_start(const Error& error) {
  std::fprintf(stderr, "flowstore: cannot start: %s\n", error.message().c_str());
  return 1;
}

void announce(Program& program, const config::Config& config) {
  Log& log = program.log();
  log.info("flowstore v" FLOWSTORE_VERSION " (" __VERSION__ ")");
  log.info("flowstore HOME Directory: " + config.home);
  log.info("Config File: " + config.file);
  if (config.driver.type == config::DriverType::localfs) {
    log.info("flowstore localfs root Directory: " + config.driver.root);
  }
  if (config.driver.type == config::DriverType::s3) {
    log.info("flowstore s3 files in " + file_place(config.driver));
  }
  if (config.context.is_on) {
    log.info("flowstore Context connected to " + std::string(context_driver(config.context)) +
             " on " + context_place(config.context));
  }
  if (::geteuid() == 0 && !config.account.is_set()) {
    log.warn(
        "flowstore runs as root, which it does not need: set user to one that may write its "
        "files, or to root if that is wanted");
  }
  for (const config::Warning& warning : config.warnings) log.warn(warning);
}

}  // namespace

int serve(const config::Config& config) {
  // Blocked before any thread is made, so that no thread but this one is ever interrupted.
  const sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // sendfile has no flag against it
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes (ulimit -f) is EFBIG then, a full disk
  raise_descriptor_limit();

  auto ports = bind_ports(config);
  if (!ports) return cannot_start(ports.error());
  const Status given_up = give_up_privileges(config);
  if (!given_up) return cannot_start(given_up.error());

  auto built = Program::build(config);
  if (!built) return cannot_start(built.error());
  Program& program = **built;
  announce(program, config);
  const Status started = program.start(*std::move(ports));
  if (!started) return cannot_start(started.error());
  for (const std::string& url : program.urls()) program.log().info("Server listening at " + url);
  for (const std::string& url : program.admin_urls()) {
    program.log().info("Metrics served at " + url + "/metrics");
  }
  const ServiceManager manager(config::process_environment());
  manager.ready();
  // What reading the configuration and opening the stores have left behind: 0.4 MiB.
  ::malloc_trim(0);

  wait_for(signals, program, manager);
  manager.stopping(config.shutdown_grace + std::chrono::seconds(2 * kEndSeconds));
  program.log().info("Stopping flowstore");
  // A second signal does not wait for anybody.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  if (!program.stop()) program.log().warn("requests were cut off at the end of shutdown.grace");
  end_soon();
  program.log().info("flowstore stopped");
  return 0;
}

}  // namespace flowstore::server
