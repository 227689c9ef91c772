// Blocks: asks file systems.

#include "server/check_places.h"

#include <filesystem>

#include <linux/magic.h>
#include <sys/statfs.h>

namespace flowstore::server {
namespace {

// Tokens and signatures are good for minutes; a Date has whole seconds and was a moment on its way.
constexpr std::chrono::seconds kNearEnough{30};

CheckResult warning(std::string name, std::string detail) {
  CheckResult check;
  check.name = std::move(name);
  check.is_ok = true;
  check.is_warning = true;
  check.detail = std::move(detail);
  return check;
}

void add_place(std::vector<CheckResult>& checks, const char* option, const std::string& folder) {
  struct statfs found {};
  if (::statfs(folder.c_str(), &found) != 0) return;  // it was tried before, in better words
  const std::string loss = loss_of(static_cast<long>(found.f_type));
  if (!loss.empty())
    checks.push_back(warning("place", std::string(option) + " " + folder + " " + loss));
}

}  // namespace

std::string loss_of(long file_system) {
  if (file_system == OVERLAYFS_SUPER_MAGIC) {
    return "is in a layer of the container, which is thrown away with it: every upgrade begins with"
           " nothing; mount a volume there, or use PostgreSQL or S3";
  }
  if (file_system == TMPFS_MAGIC || file_system == RAMFS_MAGIC) {
    return "is in memory, and gone when the machine or the container ends; mount a volume there";
  }
  return {};
}

std::vector<CheckResult> check_places(const config::Config& config) {
  std::vector<CheckResult> checks;
  if (config.driver.type == config::DriverType::localfs) {
    add_place(checks, "driver.options.root", config.driver.root);
  }
  const config::ContextConfig& context = config.context;
  const bool has_file = context.is_on && context.database == config::DatabaseType::sqlite &&
                        context.storage != config::kInMemory;
  if (has_file) {
    add_place(checks, "context.options.storage",
              std::filesystem::path(context.storage).parent_path().string());
  }
  return checks;
}

std::optional<CheckResult> check_clock(std::optional<std::chrono::system_clock::time_point> theirs,
                                       std::chrono::system_clock::time_point ours) {
  if (!theirs) return std::nullopt;
  const auto ahead = std::chrono::round<std::chrono::seconds>(ours - *theirs);
  if (std::chrono::abs(ahead) <= kNearEnough) return std::nullopt;
  const char* const way = ahead.count() > 0 ? " s ahead of" : " s behind";
  return warning("clock", "this machine is " + std::to_string(std::chrono::abs(ahead).count()) +
                              way + " the platform; set the clock of one of them right (NTP)");
}

std::optional<CheckResult> check_authorities(const http::Trust& trust) {
  if (trust.warning().empty()) return std::nullopt;
  return warning("certificates", trust.warning() +
                                     " Let it be a file with PEM certificates that the user who "
                                     "runs flowstore can read.");
}

}  // namespace flowstore::server
