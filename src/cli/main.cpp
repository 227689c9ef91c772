#include "cli/main.h"

#include <cerrno>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "cli/program.h"
#include "server/serve.h"

namespace flowstore::cli {
namespace {

// If we are started with a standard stream closed, the next file or connection would get its
// number, and log lines would be written into it.
void fill_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", O_RDWR);
  }
}

// The memory of a large value goes back to the system with it. By itself glibc would move these
// thresholds up with the first large value and then keep megabytes for every thread that had one:
// a page of 100 MiB left 260 MiB behind. See "is read in pages with little memory" in tests/load.
void keep_little_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
#endif
}

// "/" if the working directory has been removed.
std::string working_directory() {
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  return error ? "/" : path.string();
}

}  // namespace

int run(int argc, char** argv) {
  fill_standard_streams();
  keep_little_memory();
  try {
    // argc is 0 when the caller of exec says so.
    const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    const Surroundings around{config::process_environment(),
                              working_directory(),
                              std::cout,
                              std::cerr,
                              server::serve,
                              server::check_dependencies,
                              ::isatty(STDERR_FILENO) == 1};
    return run_program(words, around);
  } catch (const std::exception& error) {
    std::cerr << "flowstore: could not start: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace flowstore::cli
