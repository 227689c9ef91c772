#include "cli/main.h"

#include "base/crash_point.h"

int main(int argc, char** argv) {
  flowstore::arm_crash_points();
  return flowstore::cli::run(argc, argv);
}
